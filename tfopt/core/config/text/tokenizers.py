"""The tokenizers of a recipe: trained on the training split, or read from a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.language.block import Block, KeyMistake

PADDING, UNKNOWN = "[PAD]", "[UNK]"
"""Tokens 0 and 1 of every tokenizer that is trained here."""

BYTES = 256
"""Tokens with which byte-level BPE begins."""


class _Kind(Block):
    """Keys of all tokenizers."""

    begin: str | None = None
    """Token before each text, such as `[CLS]`."""
    end: str | None = None
    """Token after each text, such as `[SEP]`; it ends a generated text only if `export.generate.stop` names it."""

    @field_validator("begin", "end")
    @classmethod
    def _some_text(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("must be a token, such as '[CLS]'")
        return value


class _Trained(_Kind):
    """Keys of tokenizers that are trained."""

    special_tokens: tuple[str, ...] = ()
    """More tokens that are never cut, such as `<name>`; `[PAD]` is always token 0 and `[UNK]` token 1."""

    @field_validator("special_tokens")
    @classmethod
    def _each_a_token(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for index, token in enumerate(value):
            if not token.strip():
                raise KeyMistake(
                    (index,), f"must have a letter or sign in each token. Got {token!r}", code="wrong_length"
                )
        return value

    def all_special_tokens(self) -> tuple[str, ...]:
        """The first tokens of the vocabulary, in order, each once."""
        around = (token for token in (self.begin, self.end) if token is not None)
        return tuple(dict.fromkeys((PADDING, UNKNOWN, *around, *self.special_tokens)))


class _OfSize(_Trained):
    """Keys of tokenizers whose vocabulary has a chosen size."""

    vocabulary_size: Annotated[int, Field(ge=3)] = 8000
    """Most tokens; there are fewer where the training texts do not have as many."""

    @model_validator(mode="after")
    def _has_room(self) -> _OfSize:
        least = self._least()
        if self.vocabulary_size < least:
            raise KeyMistake(
                ("vocabulary_size",),
                f"vocabulary_size must be at least {least}: {self._why_least()}. Got {self.vocabulary_size}",
                code="out_of_range",
            )
        return self

    def _least(self) -> int:
        return len(self.all_special_tokens()) + 1

    def _why_least(self) -> str:
        return f"{len(self.all_special_tokens())} are special tokens"


class CharTokenizer(_Trained):
    """Each character is a token."""

    kind: Literal["char"] = "char"
    """The name of the tokenizer."""
    lowercase: bool = False
    """Make texts lower case first."""


class WordTokenizer(_OfSize):
    """Words and punctuation marks are tokens, the most frequent ones; others are `[UNK]`."""

    kind: Literal["word"] = "word"
    """The name of the tokenizer."""
    lowercase: bool = True
    """Make texts lower case first."""


class WordPieceTokenizer(_OfSize):
    """Words and pieces of words, as in BERT (Devlin et al. 2018, arXiv:1810.04805)."""

    kind: Literal["wordpiece"] = "wordpiece"
    """The name of the tokenizer."""
    lowercase: bool = True
    """Make texts lower case first, and take accents away."""


class BytePairTokenizer(_OfSize):
    """Frequent sequences of bytes, as in GPT-2 (Radford et al. 2019): every text can be written, nothing is unknown."""

    kind: Literal["bpe"] = "bpe"
    """The name of the tokenizer."""
    lowercase: bool = False
    """Make texts lower case first."""

    def _least(self) -> int:
        return BYTES + len(self.all_special_tokens())

    def _why_least(self) -> str:
        return f"{BYTES} bytes and {len(self.all_special_tokens())} special tokens"


class FileTokenizer(_Kind):
    """A tokenizer that somebody else trained."""

    kind: Literal["file"] = "file"
    """The name of the tokenizer."""
    path: str
    """`tokenizer.json`, `vocab.txt` of BERT, `.model` of SentencePiece, or a folder with one of them; `package:folder`
    is a folder of an installed package."""
    lowercase: bool | None = None
    """Of `vocab.txt`, which does not say: make texts lower case first (default: what `tokenizer_config.json` next to it
    says, else yes)."""

    @field_validator("path")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must be the path of a tokenizer")
        return value

    @model_validator(mode="after")
    def _lowercase_of_a_word_list(self) -> FileTokenizer:
        if self.lowercase is not None and self.path.endswith((".json", ".model")):
            raise KeyMistake(
                ("lowercase",),
                f"lowercase is for vocab.txt: {self.path} says it itself. Remove it",
                code="meaningless_key",
            )
        return self


TrainedTokenizer = CharTokenizer | WordTokenizer | WordPieceTokenizer | BytePairTokenizer
"""Those that the training split makes."""

TokenizerConfig = Annotated[TrainedTokenizer | FileTokenizer, Field(discriminator="kind")]
"""Any tokenizer."""


def tokenizer_kinds() -> Sequence[type[Block]]:
    """All of them, in the order of the documentation."""
    return (CharTokenizer, WordTokenizer, WordPieceTokenizer, BytePairTokenizer, FileTokenizer)
