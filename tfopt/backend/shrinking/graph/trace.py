"""Follows units through the graph of a model: which positions of which weights and tensors belong together."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import layer_type, nodes
from tfopt.backend.shrinking.graph.call import Call, Labelled, Trace
from tfopt.backend.shrinking.graph.closed import is_closed
from tfopt.backend.shrinking.graph.rules.table import outputs_of
from tfopt.backend.types import Array, Nested


def traced(model: tf_keras.Model) -> Trace:
    """Follows the units of a functional or built sequential model.

    Args:
        model: nested models are entered at each of their calls.
    """
    trace = Trace()
    inputs = [
        trace.units.kept(len(tensor.shape), f"it belongs to the model's input {name!r}")
        for tensor, name in zip(model.inputs, model.input_names, strict=True)
    ]
    outputs = _follow(trace, model, inputs, "")
    for labels, name in zip(outputs, model.output_names, strict=False):
        trace.units.fix(labels, f"it reaches the model's output {name!r}", first=True)
    arrays = [*(use.labels for use in trace.uses), *trace.tensors.values()]
    while sum(trace.units.one_axis(labels) for labels in arrays):
        pass
    return trace


def _follow(trace: Trace, model: tf_keras.Model, inputs: Sequence[Array], prefix: str) -> list[Array]:
    tensors: dict[int, Array] = {}
    for tensor, labels in zip(model.inputs, inputs, strict=True):
        tensors[id(tensor)] = labels
        # A model that is called several times has one width of each of its inputs.
        trace.units.unite(trace.tensors.setdefault(id(tensor), labels), labels)

    def labelled(value: Nested) -> Nested:
        return Labelled(tensors[id(value)], tuple(value.shape)) if id(value) in tensors else value

    for node in nodes(model):
        layer = node.layer
        if node.is_input:
            continue
        outputs = tf.nest.flatten(node.outputs)
        args, kwargs = tf.nest.map_structure(labelled, (list(node.call_args), dict(node.call_kwargs)))
        first = [one for one in tf.nest.flatten(args[:1]) if isinstance(one, Labelled)]
        path = trace.paths.setdefault(id(layer), f"{prefix}{layer.name}")
        if isinstance(layer, tf_keras.Model):
            given, before = [one.labels for one in first], len(trace.uses)
            found = _follow(trace, layer, given, f"{path}/")
            if is_closed(layer):
                for labels in (*given, *found, *(use.labels for use in trace.uses[before:])):
                    why = f"{path!r} is a custom layer ({layer_type(layer)}) with weights of its own"
                    trace.units.fix(labels, why, first=True)
        else:
            call = Call(
                trace,
                layer,
                layer,
                path,
                [one.labels for one in first],
                [one.shape for one in first],
                [tuple(tensor.shape) for tensor in outputs],
                args,
                kwargs,
            )
            found = outputs_of(call)
        trace.outputs.setdefault(id(layer), found)
        trace.shapes.setdefault(id(layer), [tuple(tensor.shape) for tensor in outputs])
        for tensor, labels in zip(outputs, found, strict=True):
            tensors[id(tensor)] = labels
            trace.tensors.setdefault(id(tensor), labels)
    return [tensors[id(tensor)] for tensor in tf.nest.flatten(model.outputs)]
