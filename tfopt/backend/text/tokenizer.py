"""A tokenizer as it travels with a model: made from its files, and nothing else.

`tokenizer.json` is read by the library `tokenizers`, as LiteRT-LM and Transformers read it; `tokenizer.model` by
`sentencepiece` (Kudo, Richardson 2018, arXiv:1808.06226), whose files stay as they are.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from types import ModuleType
from typing import Protocol

from tfopt.errors import EnvironmentProblem, StageError

NAME = "tokenizer"
"""What `Preprocessing.name` says where the files are those of a tokenizer."""
TOKENIZER_JSON = "tokenizer.json"
"""The file of every tokenizer but those of SentencePiece."""
SENTENCEPIECE_MODEL = "tokenizer.model"
"""The file of a SentencePiece tokenizer."""
SENTENCEPIECE_CONFIG = "tokenizer_config.json"
"""What stands next to it, as in Transformers: `add_bos_token`, `bos_token`, `add_eos_token`, `eos_token`."""
PADDING_TOKENS = ("[PAD]", "<pad>", "<PAD>", "<|pad|>", "<|endoftext|>")
"""What tokenizers call the token that fills texts up, most certain first; GPT-2 has the last one only."""
UNKNOWN_TOKENS = ("[UNK]", "<unk>", "<UNK>")
"""What they call the token for everything they do not know."""
MASK_TOKENS = ("[MASK]", "<mask>")
"""What they call the token that hides a word."""

_SPACE = "\u2581"
"""How SentencePiece writes a space."""


class Tokenizer(ABC):
    """Texts to ids and back; `Tokenizer.from_files` makes one."""

    files: Mapping[str, bytes]
    """What it was made of, by file name: what `Preprocessing.files` and the folder of a model hold."""

    @staticmethod
    def from_files(files: Mapping[str, bytes]) -> Tokenizer:
        """The tokenizer of `Preprocessing.files`, or of the files next to a model.

        Args:
            files: `tokenizer.json`, or else `tokenizer.model` of SentencePiece; other names are kept with it.

        Raises:
            StageError: neither is there, or it cannot be read.
            EnvironmentProblem: the library that reads it is not installed.
        """
        if TOKENIZER_JSON in files:
            return JsonTokenizer(files)
        if SENTENCEPIECE_MODEL in files:
            return SentencePieceTokenizer(files)
        raise StageError(
            f"There is no tokenizer among the files {', '.join(sorted(files)) or '(none)'}.",
            f"Expected {TOKENIZER_JSON} or {SENTENCEPIECE_MODEL}.",
            code="data_missing",
        )

    @property
    @abstractmethod
    def vocabulary(self) -> Mapping[str, int]:
        """Ids by token, as the vocabulary writes tokens."""

    @abstractmethod
    def encode_all(self, texts: Iterable[str], *, special_tokens: bool = False) -> list[list[int]]:
        """Ids of many texts; see `encode`."""

    @abstractmethod
    def encode_pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of pairs of texts with their special tokens, and for each id which text it is of: 0 or 1."""

    @abstractmethod
    def decode(self, ids: Iterable[int], *, special_tokens: bool = False) -> str:
        """The text of ids.

        Args:
            ids: those outside of the vocabulary have no text.
            special_tokens: write padding and the like out, too.
        """

    @property
    @abstractmethod
    def padding_id(self) -> int | None:
        """The id that fills texts up to one length; None where the tokenizer has none."""

    @property
    @abstractmethod
    def unknown_id(self) -> int | None:
        """The id for what the tokenizer does not know; None where it has none."""

    @property
    def mask_id(self) -> int | None:
        """The id that hides a word: of [MASK], else that of what is unknown; None where the tokenizer has neither."""
        declared = self._first_of(MASK_TOKENS)
        return self.unknown_id if declared is None else declared

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids of the tokens of a text.

        Args:
            text: any text; an empty one has no tokens.
            special_tokens: also those that the tokenizer puts around an example, such as [CLS] and [SEP]; a prompt
                has none.
        """
        return self.encode_all([text], special_tokens=special_tokens)[0]

    @cached_property
    def vocabulary_size(self) -> int:
        """Rows of the smallest embedding that has one for every token: one more than the largest id."""
        return max(self.vocabulary.values(), default=-1) + 1

    def id_of(self, token: str) -> int | None:
        """The id of a token as the vocabulary writes it; None where it has none."""
        return self.vocabulary.get(token)

    def token_of(self, token_id: int) -> str | None:
        """The token of an id as the vocabulary writes it; None where there is none."""
        return self._tokens.get(token_id)

    @cached_property
    def around_ids(self) -> frozenset[int]:
        """Ids of the special tokens that stand around examples."""
        return frozenset(self.encode("", special_tokens=True))

    @cached_property
    def _tokens(self) -> dict[int, str]:
        return {token_id: token for token, token_id in self.vocabulary.items()}

    def _first_of(self, tokens: Sequence[str]) -> int | None:
        return next((self.vocabulary[token] for token in tokens if token in self.vocabulary), None)


class _Encoding(Protocol):
    """What the library makes of a text."""

    ids: list[int]
    type_ids: list[int]


class JsonTokenizer(Tokenizer):
    """A `tokenizer.json`.

    Args:
        files: with that name.

    Raises:
        StageError: it cannot be read.
        EnvironmentProblem: `tokenizers` is not installed.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        tokenizers = library()
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(files[TOKENIZER_JSON].decode())
        except Exception as error:  # the library raises plain Exception for any broken file
            raise StageError(
                f"{TOKENIZER_JSON} cannot be read: {error}.",
                "Expected what tokenizers.Tokenizer.save writes, or save_pretrained of Transformers.",
                code="data_unreadable",
            ) from error
        # Length is a matter of the recipe: the file would cut and fill texts before it.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        return dict(self._tokenizer.get_vocab(with_added_tokens=True))

    def encode_all(self, texts: Iterable[str], *, special_tokens: bool = False) -> list[list[int]]:
        return [each.ids for each in self._encodings(list(texts), special_tokens)]

    def _encodings(self, texts: Sequence[str | tuple[str, str]], special_tokens: bool) -> Sequence[_Encoding]:
        try:
            encodings: Sequence[_Encoding] = self._tokenizer.encode_batch(texts, add_special_tokens=special_tokens)
        except Exception as error:
            if type(error) is not Exception:  # the library raises plain Exception where the unknown token is missing
                raise
            raise StageError(
                f"The tokenizer cannot encode the text: {error}.",
                "Use a tokenizer with a token for what is unknown, such as [UNK].",
                code="invalid_data",
            ) from error
        return encodings

    def encode_pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[list[list[int]], list[list[int]]]:
        encodings = self._encodings(list(pairs), True)
        return [each.ids for each in encodings], [each.type_ids for each in encodings]

    def decode(self, ids: Iterable[int], *, special_tokens: bool = False) -> str:
        text: str = self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=not special_tokens)
        return text

    @cached_property
    def padding_id(self) -> int | None:
        return self._first_of(PADDING_TOKENS)

    @cached_property
    def unknown_id(self) -> int | None:
        declared = getattr(self._tokenizer.model, "unk_token", None)
        return self._first_of(UNKNOWN_TOKENS if declared is None else (declared, *UNKNOWN_TOKENS))


class SentencePieceTokenizer(Tokenizer):
    """A `.model` of SentencePiece; which tokens stand around examples, `tokenizer_config.json` says.

    Args:
        files: with the name `tokenizer.model`.

    Raises:
        StageError: it cannot be read.
        EnvironmentProblem: `sentencepiece` is not installed.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        try:
            import sentencepiece
        except ImportError as error:
            raise EnvironmentProblem(
                "A SentencePiece tokenizer needs the package sentencepiece, which is not installed.",
                "pip install sentencepiece",
                code="missing_package",
            ) from error
        try:
            self._model = sentencepiece.SentencePieceProcessor(model_proto=files[SENTENCEPIECE_MODEL])
            self._model.vocab_size()
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            raise StageError(
                f"{SENTENCEPIECE_MODEL} cannot be read: {error}.",
                "Expected the .model file that SentencePiece writes.",
                code="data_unreadable",
            ) from error

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        return {self._model.id_to_piece(token): token for token in range(self._model.vocab_size())}

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        """Ids before and after each example."""
        config = json.loads(self.files.get(SENTENCEPIECE_CONFIG, b"{}"))
        before, after = (
            [self._id_around(config.get(f"{token}_token"))] if config.get(f"add_{token}_token") else []
            for token in ("bos", "eos")
        )
        return before, after

    def _id_around(self, token: str) -> int:
        if token not in self.vocabulary:
            raise StageError(
                f"{SENTENCEPIECE_CONFIG} puts {token!r} around texts, which is not in the vocabulary of "
                f"{SENTENCEPIECE_MODEL}.",
                "Name tokens of the vocabulary in data.text.tokenizer.begin and end, or correct the file.",
                code="data_unreadable",
            )
        return self.vocabulary[token]

    def encode_all(self, texts: Iterable[str], *, special_tokens: bool = False) -> list[list[int]]:
        ids: list[list[int]] = self._model.encode(list(texts))
        if not special_tokens:
            return ids
        before, after = self._around
        return [[*before, *text, *after] for text in ids]

    def encode_pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[list[list[int]], list[list[int]]]:
        listed = list(pairs)
        before, after = self._around
        first = [[*before, *ids, *after] for ids in self.encode_all(pair[0] for pair in listed)]
        second = [[*ids, *after] for ids in self.encode_all(pair[1] for pair in listed)]
        both = list(zip(first, second, strict=True))
        return [a + b for a, b in both], [[0] * len(a) + [1] * len(b) for a, b in both]

    def decode(self, ids: Iterable[int], *, special_tokens: bool = False) -> str:
        known = [int(token) for token in ids if 0 <= int(token) < self._model.vocab_size()]
        if special_tokens:
            return "".join(self._written(own, list(run)) for own, run in groupby(known, self._model.is_control))
        text: str = self._model.decode(known)
        return text

    def _written(self, control: bool, ids: Sequence[int]) -> str:
        """Tokens in the middle of a text: SentencePiece takes the space in front of a whole text away."""
        if control:
            return "".join(self._model.id_to_piece(token) for token in ids)
        text: str = self._model.decode(list(ids))
        begins = self._model.id_to_piece(ids[0]).startswith(_SPACE) and not text.startswith(" ")
        return f" {text}" if begins else text

    @cached_property
    def padding_id(self) -> int | None:
        declared = int(self._model.pad_id())
        return declared if declared >= 0 else self._first_of(PADDING_TOKENS)

    @cached_property
    def unknown_id(self) -> int | None:
        return int(self._model.unk_id())


def library() -> ModuleType:
    """The package `tokenizers`, without its threads: they do not survive the fork of a child process.

    Raises:
        EnvironmentProblem: it is not installed.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers
    except ImportError as error:
        raise EnvironmentProblem(
            "Texts need the package tokenizers, which is not installed.",
            "pip install tokenizers",
            code="missing_package",
        ) from error
    return tokenizers
