"""The mode of each layer of a file, by the rules of its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tf_keras

from tfopt.backend.graph.layer_rules import spelled_out
from tfopt.backend.graph.layers import layer_paths, layer_type, leaf_layers
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.layer_rules import last_match


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

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"modes": {**self.modes}, "names": [*self.names], "aliases": {**self.aliases}}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> LayerModes:
        """The reverse of `plain`."""
        return cls(plain["modes"], tuple(plain["names"]), plain["aliases"])


NO_RULES = LayerModes()
"""Every layer has the mode of the file."""


def layer_modes(variant: Variant, model: tf_keras.Model, aliases: Mapping[str, str] | None = None) -> LayerModes:
    """What the rules of a variant say of a model's layers; those of nested models too.

    Args:
        variant: the keys of the file.
        model: float.
        aliases: as in `LayerModes`.
    """
    names = tuple(dict.fromkeys(layer.name for _, layer in layer_paths(model)))
    rules = spelled_out(variant.layers or (), model, lambda layer: None)
    matched = {layer.name: last_match(rules, layer.name, layer_type(layer)) for layer in leaf_layers(model)}
    modes = {name: rule.quantize for name, rule in matched.items() if rule is not None}
    return LayerModes({name: mode for name, mode in modes.items() if mode != variant.quantize}, names, aliases or {})
