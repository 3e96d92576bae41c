"""The rule of each type of layer, and of a layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tf_keras

from tfopt.backend.graph.layers import layer_type
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.rules import (
    attention,
    contraction,
    elementwise,
    keras3,
    kernels,
    normalization,
    operators,
    own_layers,
    recurrent,
    shapes,
)
from tfopt.backend.shrinking.graph.rules.rule import Resized, Rule
from tfopt.backend.shrinking.graph.rules.wrappers import wrapper_rules
from tfopt.backend.types import Array

_RULES: Mapping[type, Rule] = {
    **kernels.RULES,
    **elementwise.RULES,
    **shapes.RULES,
    **normalization.RULES,
    **attention.RULES,
    **recurrent.RULES,
    **own_layers.RULES,
    **keras3.RULES,
    **contraction.RULES,
    **operators.RULES,
}
"""By exact type: a subclass may compute something else."""


def rule_of(layer: tf_keras.layers.Layer) -> Rule | None:
    """The rule of a layer; None where its type is not known."""
    return _RULES.get(type(layer)) or _WRAPPERS.get(type(layer))


_WRAPPERS = wrapper_rules(rule_of)


def outputs_of(call: Call) -> list[Array]:
    """Follows units through one call of a layer."""
    rule = rule_of(call.layer)
    if rule is None:
        own = type(call.layer).__module__.split(".")[0] not in ("keras", "tf_keras")
        return call.unknown(f"is a{' custom' if own else ''} layer ({layer_type(call.layer)}) that is taken as it is")
    found = list(rule.trace(call))
    if rule.visible:
        call.trace.visible.setdefault(call.path, found[0])
    return found


def resized_layer(resized: Resized) -> tf_keras.layers.Layer:
    """A new layer with the sizes of what is left of an old one, under its name."""
    layer, rule = resized.layer, rule_of(resized.layer)
    # An array of initial values has the old size, and the weights are set anyway.
    arrays = {
        key: "zeros"
        for key, value in layer.get_config().items()
        if key.endswith("_initializer") and isinstance(value, dict) and not np.isscalar(value["config"].get("value", 0))
    }
    return copy_layer(layer, layer.name, {**arrays, **(rule.changes(resized) if rule else {})})
