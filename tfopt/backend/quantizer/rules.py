"""The rules of a recipe, applied to the layers of a model: which have a mode of their own."""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.graph.layer_rules import spelled_out
from tfopt.backend.graph.layers import layer_paths, layer_type, leaf_layers
from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.layer_rules import last_match


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
