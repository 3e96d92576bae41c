"""The keys of `export.bundle`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.config.files.normalization import Normalization
from tfopt.core.language.block import Block

Labels = str | Annotated[tuple[str, ...], Field(min_length=1)]
"""A text file, or names."""


class BundleKeys(Block):
    """What goes into a bundle, and what it says about the model."""

    variants: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of the files under `tflite:` that go in (default: all)."""
    labels: Labels | Annotated[dict[str, Labels], Field(min_length=1)] | None = None
    """Names of the classes in the order of the output, or a text file with one in each line; of several outputs also by
    the name of the output, `{kind: [cat, dog], place: places.txt}` (default: those of the data source, where it has
    names)."""
    normalization: Normalization | None = None
    """How raw values became the inputs (default: what the data source did, where it is known)."""
    description: str | None = None
    """What the model does, in a sentence or more, for the metadata and the model card (default: that of the recipe)."""
    licence: str | None = None
    """Licence of the model."""
    author: str | None = None
    """Person or organization that answers for the model."""
    version: str | None = None
    """Version of the model, as its author counts."""
    examples: Annotated[int, Field(ge=1)] = 8
    """Golden examples: test examples whose inputs and outputs are in the bundle, for each file."""
