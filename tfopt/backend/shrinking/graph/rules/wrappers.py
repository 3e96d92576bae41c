"""Layers around another layer: each step of a sequence, both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import tf_keras
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array, SerializedLayer, Shape

RuleOf = Callable[[tf_keras.layers.Layer], "Rule | None"]


def wrapper_rules(rule_of: RuleOf) -> dict[type, Rule]:
    """The rules of wrappers, which ask for the rule of the layer inside.

    Args:
        rule_of: finds the rule of a layer.
    """

    def of_each_step(call: Call) -> list[Array]:
        inner = call.layer.layer
        rule = rule_of(inner)
        if rule is None or rule.over_units or len(call.inputs) != 1:
            return call.unknown(f"has a layer inside ({type(inner).__name__}) that is taken as it is")
        labels = call.inputs[0]
        call.units.unite(labels.take([0], 1), labels)
        shapes = [_without_steps(shape) for shape in call.output_shapes]
        found = rule.trace(
            replace(
                call,
                layer=inner,
                inputs=[labels.take(0, 1)],
                shapes=[_without_steps(call.shapes[0])],
                output_shapes=shapes,
            )
        )
        return [np.expand_dims(one, 1) for one in found]

    def step_changes(resized: Resized) -> Changes:
        inner = resized.layer.layer
        before, after = ([_without_steps(shape) for shape in shapes] for shapes in (resized.before, resized.after))
        return {"layer": _inner(inner, replace(resized, layer=inner, before=before, after=after))}

    def both_directions(call: Call) -> list[Array]:
        layer = call.layer
        rule = rule_of(layer.forward_layer)
        if rule is None or call.others() or len(call.inputs) != 1 or layer.return_state:
            return call.unknown("is taken as it is")
        forward = rule.trace(replace(call, layer=layer.forward_layer))[0]
        backward = rule.trace(replace(call, layer=layer.backward_layer))[0]
        if forward.shape == backward.shape:
            # Keras 3 infers the shape of what follows from the forward direction alone: both keep the same size.
            call.units.unite(forward, backward)
        if layer.merge_mode == "concat":
            return [np.concatenate([forward, backward], axis=-1)]
        return [forward, backward] if layer.merge_mode is None else [forward]

    def direction_changes(resized: Resized) -> Changes:
        layer = resized.layer
        return {
            "layer": _inner(layer.forward_layer, replace(resized, layer=layer.forward_layer)),
            "backward_layer": _inner(layer.backward_layer, replace(resized, layer=layer.backward_layer)),
        }

    def _inner(layer: tf_keras.layers.Layer, resized: Resized) -> SerializedLayer:
        rule = rule_of(layer)
        config: SerializedLayer = tf_keras.layers.serialize(layer)
        if rule is not None:
            config["config"] |= dict(rule.changes(resized))
        return config

    return {
        layers.TimeDistributed: Rule(of_each_step, step_changes, visible=True),
        layers.Bidirectional: Rule(both_directions, direction_changes, visible=True),
    }


def _without_steps(shape: Shape) -> Shape:
    return (shape[0], *shape[2:])
