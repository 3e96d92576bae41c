"""Keys of the initialize stage: a model begins with the weights of layers of a different one, the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from tfopt.core.config.model_source import ModelSource
from tfopt.core.language.block import Block


class Initialization(Block):
    """Keys of the initialize stage."""

    teacher: ModelSource
    """The model whose weights are taken: a stage, a recipe, a seed or a file."""
    layers: dict[str, str] = Field(default_factory=dict)
    """How the names of layers begin in this model, and in the teacher: `{block1: block2, block2: block5}` fills the
    first block with the second of the teacher, and the second with the fifth. All other layers take the weights of the
    layer with the same name, where its shapes are the same."""
    wider_tables: Literal["principal_components"] | None = None
    """How the table of an embedding begins that is wider in the teacher: `principal_components` turns the teacher's
    rows and takes as many coordinates as fit, those in which the rows differ most. If absent, it begins with its own
    weights. Both models must have the same tokens."""

    @field_validator("layers")
    @classmethod
    def _not_empty(cls, value: dict[str, str]) -> dict[str, str]:
        if any(not begin or not other for begin, other in value.items()):
            raise ValueError("needs the beginnings of names, such as {block1: block2}")
        return value


def renamed(name: str, layers: Mapping[str, str]) -> str:
    """The teacher's name of a layer.

    Args:
        name: of the layer in this model.
        layers: as in the recipe; of several beginnings the longest counts, and `block1` is none of `block10`.
    """
    for begin in sorted(layers, key=len, reverse=True):
        if begins_with(name, begin):
            return layers[begin] + name[len(begin) :]
    return name


def begins_with(name: str, begin: str) -> bool:
    """Whether a name begins so, with no number cut in two."""
    rest = name[len(begin) :]
    return name.startswith(begin) and not (begin[-1:].isdigit() and rest[:1].isdigit())
