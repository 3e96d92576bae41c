"""The mode of each layer of a file, by the rules of its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict


class PlainLayerModes(TypedDict):
    """The same in values that JSON has."""

    modes: dict[str, str]
    names: list[str]
    aliases: dict[str, str]


@dataclass(frozen=True)
class LayerModes:
    """The layers with a mode of their own, and what tells their operators.

    Args:
        modes: name of a mode by Keras name of a layer.
        names: Keras names of all layers of the model.
        aliases: layers of the model by names of the layers that compute them in the converted one.
    """

    modes: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> PlainLayerModes:
        """As JSON values."""
        return {"modes": {**self.modes}, "names": [*self.names], "aliases": {**self.aliases}}

    @classmethod
    def of(cls, plain: PlainLayerModes) -> LayerModes:
        """The reverse of `plain`."""
        return cls(plain["modes"], tuple(plain["names"]), plain["aliases"])


NO_RULES = LayerModes()
"""Every layer has the mode of the file."""
