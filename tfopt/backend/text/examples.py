"""Token ids of one length: examples of a classifier, windows of a language model, and what is reported about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.text.tables import Text
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.types import Array
from tfopt.core.config.text.text import InputKind, TextConfig
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_MOST_UNKNOWN = 0.5
"""Share of unknown tokens in the training split above which the tokenizer is not one for these texts."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Texts as token ids, of any length.

    Args:
        ids: of each text, with its special tokens.
        segments: which text of a pair each token is of; None without pairs.
        unknown: share of tokens that the tokenizer does not know.
    """

    ids: list[list[int]]
    segments: list[list[int]] | None
    unknown: float


def encoded(tokenizer: Tokenizer, texts: Sequence[Text], what: str) -> Encoded:
    """Token ids of texts.

    Args:
        tokenizer: theirs.
        texts: of one split; all are pairs, or none is.
        what: source and split, for errors.

    Raises:
        StageError: a text has no token, or letters would get lost.
    """
    parts = [part for text in texts for part in ((text,) if isinstance(text, str) else text)]
    plain = tokenizer.encode_all(parts)
    for part, tokens in zip(parts, plain, strict=True):
        if not tokens:
            raise StageError(
                f"{what}: the text {part[:40]!r} has no tokens.", "Remove it, or use kind: bpe.", code="invalid_data"
            )
    if tokenizer.unknown_id is None:
        _check_no_letter_lost(tokenizer, parts, what)
    total = sum(map(len, plain))
    unknown = sum(tokens.count(tokenizer.unknown_id) for tokens in plain) if tokenizer.unknown_id is not None else 0
    pairs = [text for text in texts if not isinstance(text, str)]
    if pairs:
        ids, segments = tokenizer.encode_pairs(pairs)
        return Encoded(ids, segments, unknown / total)
    return Encoded(tokenizer.encode_all(parts, special_tokens=True), None, unknown / total)


def check_known(train: Encoded, what: str) -> None:
    """Whether the tokenizer is one for these texts.

    Raises:
        StageError: it does not know most of them.
    """
    if train.unknown > _MOST_UNKNOWN:
        raise StageError(
            f"{what}: {train.unknown:.0%} of the tokens are unknown to the tokenizer.",
            "Use a tokenizer for this language, or train one (data.text.tokenizer.kind).",
            code="invalid_data",
        )


def arrays(tokenizer: Tokenizer, text: Encoded, config: TextConfig) -> Mapping[InputKind, Array]:
    """Examples of a classifier: `ids`, `mask` and `segments`, each (texts, length) int32.

    Args:
        tokenizer: theirs.
        text: all texts of a split.
        config: length, and the ends at which texts are filled up and cut.

    Raises:
        StageError: nothing fills texts up, or nothing but special tokens would be left of long ones.
    """
    padding = tokenizer.padding_id
    if padding is None and any(len(ids) < config.length for ids in text.ids):
        raise StageError(
            f"The tokenizer has no padding token, and there are texts of less than {config.length} tokens "
            "(data.text.length).",
            "Use a tokenizer with a token such as [PAD] or <pad>.",
            code="invalid_data",
        )
    shape = (len(text.ids), config.length)
    made: dict[InputKind, Array] = {
        "ids": np.full(shape, padding or 0, np.int32),
        "mask": np.zeros(shape, np.int32),
        "segments": np.zeros(shape, np.int32),
    }
    for row, ids in enumerate(text.ids):
        segments = text.segments[row] if text.segments is not None else [0] * len(ids)
        kept = _kept(tokenizer, ids, segments, config)
        columns = slice(0, len(kept)) if config.padding == "end" else slice(config.length - len(kept), config.length)
        made["ids"][row, columns] = [ids[position] for position in kept]
        made["segments"][row, columns] = [segments[position] for position in kept]
        made["mask"][row, columns] = 1
    return made


def windows(text: Encoded, config: TextConfig, what: str) -> tuple[Array, Array]:
    """Windows of a language model over the joined texts.

    Args:
        text: all texts of a split, joined in order.
        config: length and stride of windows.
        what: source and split, for errors.

    Returns:
        Inputs and targets, each (windows, length) int32: a target is the token after the input at its position.
        Tokens after the last full window are left out.

    Raises:
        StageError: there are fewer tokens than one window has.
    """
    stream = np.array([token for ids in text.ids for token in ids], np.int32)
    if len(stream) <= config.length:
        raise StageError(
            f"{what}: {counted(len(stream), 'token')}, but a window needs {config.length + 1} (data.text.length and "
            "one).",
            "Provide more text, a smaller data.text.length, or a larger share in data.splits.",
            code="data_missing",
        )
    starts = np.arange(0, len(stream) - config.length, config.stride or config.length)
    positions = starts[:, np.newaxis] + np.arange(config.length)
    return stream[positions], stream[positions + 1]


def _kept(tokenizer: Tokenizer, ids: Sequence[int], segments: Sequence[int], config: TextConfig) -> Sequence[int]:
    """Positions of the tokens of a text that stay: special ones at its ends, and others of the longer text of a pair
    only as far as there is room."""
    excess = len(ids) - config.length
    if excess <= 0:
        return range(len(ids))
    special = _special_positions(tokenizer, ids)
    free = [[k for k in range(len(ids)) if segments[k] == part and k not in special] for part in (0, 1)]
    if sum(map(len, free)) <= excess:
        raise StageError(
            f"data.text.length is {config.length}: {counted(len(special), 'special token')} and one of the text do not "
            "fit.",
            f"Write at least {len(special) + 1}.",
            code="out_of_range",
        )
    for _ in range(excess):
        longer = free[0] if len(free[0]) >= len(free[1]) else free[1]
        longer.pop(0 if config.truncation == "start" else -1)
    return sorted([*special, *free[0], *free[1]])


def _special_positions(tokenizer: Tokenizer, ids: Sequence[int]) -> set[int]:
    return {position for position, token in enumerate(ids) if token in tokenizer.around_ids}


def _check_no_letter_lost(tokenizer: Tokenizer, parts: Sequence[str], what: str) -> None:
    """Without an unknown token, BPE leaves letters out that it does not know."""
    letters = sorted({letter for part in parts for letter in part if letter.isprintable() and not letter.isspace()})
    lost = [letter for letter, tokens in zip(letters, tokenizer.encode_all(letters), strict=True) if not tokens]
    if lost:
        raise StageError(
            f"{what}: the tokenizer has no token for {', '.join(map(repr, lost[:5]))}, and none for what is unknown.",
            "Use a tokenizer for this language, or remove these letters.",
            code="invalid_data",
        )
