"""Which row of a folder's embedding belongs to which token of the data."""

from __future__ import annotations

import numpy as np

from tfopt.backend.models.pretrained.folder import Folder
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.types import Array
from tfopt.errors import StageError

NO_TOKEN = -1
"""The row of an id that no token has; it becomes zeros."""


def rows_for(folder: Folder, tokens: int, tokenizer: Tokenizer | None, vocabulary_size: int | None) -> Array | None:
    """For each id of the data, the row of the folder's embedding.

    Args:
        folder: with the embedding.
        tokens: rows that it has.
        tokenizer: of the data; without one, ids are those of the folder.
        vocabulary_size: tokens of the data, where no tokenizer says it.

    Returns:
        Rows, `NO_TOKEN` for ids without a token; None where they are all of the folder's, in its order.

    Raises:
        StageError: a token has no row.
    """
    if tokenizer is None:
        if vocabulary_size is not None and vocabulary_size > tokens:
            raise StageError(
                f"The data have {vocabulary_size} tokens, but the embedding of {folder.path} has {tokens} rows.",
                "Use the tokenizer of the folder.",
                code="incompatible_model",
            )
        return None
    own = _tokenizer_of(folder)
    if own is None:
        if tokenizer.vocabulary_size == tokens:
            return None
        raise StageError(
            f"The tokenizer of the data has {tokenizer.vocabulary_size} tokens, the embedding of {folder.path} has "
            f"{tokens} rows, and the folder has no tokenizer that says which is which.",
            "Put its tokenizer.json into the folder.",
            code="incompatible_model",
        )
    rows = np.full(tokenizer.vocabulary_size, NO_TOKEN, np.int64)
    unknown = []
    for token, token_id in tokenizer.vocabulary.items():
        row = own.get(token)
        if row is None or row >= tokens:
            unknown.append(token)
        else:
            rows[token_id] = row
    if unknown:
        raise StageError(
            f"{len(unknown)} of the {len(rows)} tokens of the data have no row in the embedding of {folder.path}: "
            f"{', '.join(repr(token) for token in unknown[:5])}{', ...' if len(unknown) > 5 else ''}.",
            "Use the tokenizer of the folder: data.text.tokenizer reads its tokenizer.json or vocab.txt.",
            code="incompatible_model",
        )
    return None if np.array_equal(rows, np.arange(tokens)) else rows


def _tokenizer_of(folder: Folder) -> dict[str, int] | None:
    """Ids by token of the folder's own tokenizer; None where it has none."""
    files = folder.tokenizer_files()
    if "vocab.txt" in files and not files.keys() - {"vocab.txt"}:
        return {
            token: row
            for row, token in enumerate(files["vocab.txt"].decode("utf-8").replace("\r\n", "\n").split("\n"))
            if token
        }
    return dict(Tokenizer.from_files(files).vocabulary) if files else None
