"""The block `data.text`: how texts become examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.config.text.tokenizers import FileTokenizer, TokenizerConfig
from tfopt.core.language.block import Block, KeyMistake

Task = Literal["classification", "language_model"]
"""What a model of texts learns."""
InputKind = Literal["ids", "mask", "segments"]
"""What an input of a model of texts can be."""
End = Literal["start", "end"]
"""An end of a text."""

TABLES = (".csv", ".tsv", ".jsonl")
"""Files with a text in each row."""
TEXT_FILES = (*TABLES, ".txt")
"""How the files end that hold texts."""


class TextConfig(Block):
    """How the texts of the source become token ids of one length."""

    task: Task = "classification"
    """`classification`: a label for each text (numbers that are no classes, too); `language_model`: each token is
    predicted from those before it, in windows of the joined texts."""
    tokenizer: TokenizerConfig
    """How texts are cut into tokens; trained on the training split only, or read from a file."""
    length: Annotated[int, Field(ge=1)]
    """Tokens of an example: shorter texts are filled up, longer ones cut; the window of a language model."""
    column: str | tuple[str, ...] | None = None
    """Column of a table with the text (default: `text`), or two for pairs of texts, such as question and answer."""
    label: str | None = None
    """Column of a table with the label (default: `label`); in a file of whole numbers they are classes."""
    quantity: bool = False
    """Numbers in the label column are quantities to predict, not classes."""
    stride: Annotated[int, Field(ge=1)] | None = None
    """Tokens from the start of one window of a language model to the next (default: `length`, without overlap)."""
    padding: End = "end"
    """Where shorter texts are filled up."""
    truncation: End = "end"
    """Which end of longer texts is cut off; special tokens stay."""
    truncate_vocabulary: bool = False
    """Keep only the tokens that the training split uses, its letters and the special tokens: a smaller embedding."""
    inputs: dict[str, InputKind] | None = None
    """Inputs of the model by name: `ids`, `mask` (1 for tokens, 0 for padding) or `segments` (which text of a pair);
    default: one input, the ids."""
    encoding: str = "utf-8"
    """How the files are encoded."""

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "text".encode(value)  # unlike codecs.lookup, it refuses base64, rot13 and the like
        except (LookupError, ValueError):
            raise ValueError("must be an encoding that Python knows, such as utf-8 or latin-1") from None
        return value

    @field_validator("column")
    @classmethod
    def _one_or_a_pair(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        names = (value,) if isinstance(value, str) else value or ()
        if isinstance(value, tuple) and len(value) != 2:
            raise ValueError("must be one column, or two for pairs of texts")
        if not all(name.strip() for name in names) or len(set(names)) != len(names):
            raise ValueError("must name different columns")
        return value

    @field_validator("inputs")
    @classmethod
    def _with_ids(cls, value: dict[str, InputKind] | None) -> dict[str, InputKind] | None:
        if value is not None and "ids" not in value.values():
            raise ValueError("must have an input that is `ids`, such as {token_ids: ids, padding_mask: mask}")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> TextConfig:
        if self.is_language_model:
            self._check_language_model()
        elif self.stride is not None:
            raise KeyMistake(("stride",), "stride needs task: language_model", code="meaningless_key")
        if self.label is not None and self.label in self.columns:
            raise KeyMistake(
                ("label",), f"label {self.label!r} is the column of the text, too", code="conflicting_keys"
            )
        return self

    def _check_language_model(self) -> None:
        meaningless = {
            "label": (self.label, "its labels are the next tokens"),
            "quantity": (self.quantity, "its labels are the next tokens"),
            "padding": (self.padding != "end", "its windows are full"),
            "truncation": (self.truncation != "end", "its windows are full"),
        }
        for key, (given, why) in meaningless.items():
            if given:
                raise KeyMistake((key,), f"{key} has no meaning for a language model: {why}", code="meaningless_key")
        if isinstance(self.column, tuple):
            raise KeyMistake(("column",), "column: a language model reads one column. Got two", code="conflicting_keys")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table that hold the text: one, or two for pairs."""
        if self.column is None:
            return ("text",)
        return (self.column,) if isinstance(self.column, str) else self.column

    @property
    def label_column(self) -> str:
        """The column of a table that holds the label."""
        return self.label or "label"

    @property
    def is_language_model(self) -> bool:
        """Whether tokens are predicted from those before them."""
        return self.task == "language_model"

    @property
    def tokenizer_path(self) -> str | None:
        """The file of a tokenizer that somebody else trained."""
        return self.tokenizer.path if isinstance(self.tokenizer, FileTokenizer) else None
