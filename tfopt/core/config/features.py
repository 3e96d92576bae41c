"""What the features of records and the columns of tables are: `data.features`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfopt.core.language.block import Block, KeyMistake

Kind = Literal["image", "float32", "int64", "uint8", "text"]
"""How the values of a feature are stored."""


class Feature(Block):
    """One feature of TFRecord shards, or one column of Parquet, Arrow and Hugging Face tables."""

    role: Literal["input", "target", "weight"] = "input"
    """Whether it goes into the model, is what the model learns, or says how much an example counts in the loss."""
    output: str | None = None
    """Of a weight, where there are several targets: the one whose loss it is about; all of them if absent."""
    kind: Kind | None = None
    """How it is stored: `image` (an encoded JPEG or PNG), numbers, `uint8` (raw bytes), `text` (a class name). As the
    first record shows it if absent."""
    shape: list[Annotated[int, Field(ge=1)]] | None = None
    """Shape of one value, for numbers; that of the first record if absent."""
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    """Height and width that images are resized to; without it all must have the same size."""
    channels: Literal[1, 3] = 3
    """Of images: 3 for colour, 1 for grey."""
    scale: Literal["unit", "none"] = "unit"
    """Of images: `unit` results in 0..1, `none` keeps 0..255."""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Feature:
        if self.output is not None and self.role != "weight":
            raise KeyMistake(
                ("output",), f"output is of a weight, and the role of this is {self.role}", code="meaningless_key"
            )
        if self.size is not None and self.kind not in (None, "image"):
            raise KeyMistake(("size",), f"size is of images, and this is {self.kind}", code="meaningless_key")
        if self.shape is not None and self.kind in ("image", "text"):
            raise KeyMistake(("shape",), f"shape is of numbers, and this is {self.kind}", code="meaningless_key")
        return self
