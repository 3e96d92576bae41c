"""Layers of tfopt's own, and those of Keras 3 that tf_keras runs in a wrapper."""

from __future__ import annotations

import json
from collections.abc import Callable

import keras
import numpy as np
import tf_keras

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, RMSNormalization, TiedEmbedding, TiedLogits
from tfopt.backend.shrinking.graph.activations import layer_is_elementwise
from tfopt.backend.shrinking.graph.call import Call, Labelled
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.contraction import contracted
from tfopt.backend.shrinking.graph.rules.elementwise import merged
from tfopt.backend.shrinking.graph.rules.operators import reduced
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array, SerializedLayer


def _grouped_query_attention(call: Call) -> list[Array]:
    """A head of keys and values goes with the query heads that share it; where all share one, query heads go."""
    layer, rank = call.layer, len(call.output_shapes[0])
    size, shared = layer.head_size, layer.key_value_heads
    units = layer.num_heads if shared == 1 else shared
    heads = call.produced(layer.query.kernel, 1, units, "heads", layer.num_heads // units * size)
    of_queries, of_keys = np.repeat(heads, layer.num_heads // units * size), np.repeat(heads, size)
    inputs = call.along(rank - 1)
    for dense in (layer.query, layer.key, layer.value):
        call.use(dense.kernel, 0, inputs, "consumes")
        if dense is not layer.query and shared == 1:
            continue
        labels = of_queries if dense is layer.query else of_keys
        call.use(dense.kernel, 1, labels, "produces")
        if dense.use_bias:
            call.use(dense.bias, 0, labels, "produces")
    output = layer.attention_output
    call.use(output.kernel, 0, of_queries, "consumes")
    features = call.produced(output.kernel, 1, output.units, "width")
    call.use(output.kernel, 1, features, "produces")
    if output.use_bias:
        call.use(output.bias, 0, features, "produces")
    if output.units == inputs.size:
        # The layer has no key for the width of its output, which is that of its input.
        call.units.unite(inputs, features)
    return [at_axis(features, rank - 1, rank)]


def _grouped_heads(resized: Resized) -> Changes:
    layer = resized.layer
    query, key = (resized.shape_of(dense.kernel)[1] // layer.head_size for dense in (layer.query, layer.key))
    return {"num_heads": query, "key_value_heads": key}


def _position_embedding(call: Call) -> list[Array]:
    axis = len(call.shapes[0]) - 1
    labels = call.along(axis)
    call.use(call.layer.embeddings, 1, labels, "follows")
    return [at_axis(labels, axis, axis + 1)]


def _root_mean_square(call: Call) -> list[Array]:
    axis = len(call.shapes[0]) - 1
    labels = call.along(axis)
    call.use(call.layer.scale, 0, labels, "follows")
    return [at_axis(labels, axis, axis + 1)]


def _tied_embedding(call: Call) -> list[Array]:
    layer = call.layer
    units = call.produced(layer.embeddings, 1, layer.output_dim, "width")
    call.use(layer.embeddings, 1, units, "produces")
    return [at_axis(units, len(shape) - 1, len(shape)) for shape in call.output_shapes]


def _output_dim(resized: Resized) -> Changes:
    return {"output_dim": resized.shape_of(resized.layer.embeddings)[1]}


def _tied_logits(call: Call) -> list[Array]:
    call.units.unite(call.along(len(call.shapes[0]) - 1, 0), call.along(1, 1))
    return [call.units.kept(len(call.output_shapes[0]), f"{call.path!r} has one for each token")]


def _wrapped(call: Call) -> list[Array]:
    """Of what only Keras 3 has, known are the scales of ConvNeXt and CaiT, and operations that `_OPERATIONS` has."""
    wrapped = call.layer.wrapped
    if isinstance(wrapped, keras.Operation) and not isinstance(wrapped, keras.layers.Layer):
        return _operation(call, wrapped)
    if type(wrapped).__name__ != "LayerScale" or len(call.layer.weights) != 1:
        return call.unknown(f"is a layer of Keras 3 ({type(call.layer.wrapped).__name__}) that is taken as it is")
    axis = len(call.shapes[0]) - 1
    labels = call.along(axis)
    call.use(call.layer.weights[0], 0, labels, "follows")
    return [at_axis(labels, axis, axis + 1)]


def _operation(call: Call, operation: keras.Operation) -> list[Array]:
    rule = _OPERATIONS.get(type(operation).__name__)
    of_keras = type(operation).__module__.startswith("keras.src.ops.")
    if of_keras and rule is not None:
        return rule(call, operation)
    if len(call.output_shapes) == 1 and layer_is_elementwise(call.layer, [len(shape) for shape in call.shapes]):
        return merged(call)
    return call.unknown(f"is an operation of Keras 3 ({type(operation).__name__}) that is taken as it is")


def _mean(call: Call, operation: keras.Operation) -> list[Array]:
    tensor = Labelled(call.inputs[0], call.shapes[0])
    return reduced(call, tensor, operation.axis)


def _matmul(call: Call, operation: keras.Operation) -> list[Array]:
    if len(call.inputs) != 2 or len(call.shapes[0]) != len(call.shapes[1]):
        return call.unknown("multiplies tensors of several ranks")
    letters = "abcdefgh"[: len(call.shapes[0]) - 2]
    return [contracted(call, [(call.inputs[0], f"{letters}yz"), (call.inputs[1], f"{letters}zx")], f"{letters}yx")]


def _einsum(call: Call, operation: keras.Operation) -> list[Array]:
    left, _, output = operation.subscripts.replace(" ", "").partition("->")
    letters = left.split(",")
    if not output or "..." in left or len(letters) != len(call.inputs):
        return call.unknown("has an equation that is taken as it is")
    return [contracted(call, list(zip(call.inputs, letters, strict=True)), output)]


_OPERATIONS: dict[str, Callable[[Call, keras.Operation], list[Array]]] = {
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Var", "Std"), _mean),
    "Matmul": _matmul,
    "Einsum": _einsum,
}


def _wrapped_config(resized: Resized) -> Changes:
    config = resized.layer.get_config()
    if resized.before == resized.after or type(resized.layer.wrapped).__name__ != "LayerScale":
        return {}
    size = resized.after[0][-1]
    hosted: SerializedLayer = json.loads(config["hosted"])
    hosted["config"]["projection_dim"] = size
    specs = [[[*shape[:-1], size], dtype] for shape, dtype in json.loads(config["specs"])]
    return {"hosted": json.dumps(hosted), "specs": json.dumps(specs)}


RULES: dict[type[tf_keras.layers.Layer], Rule] = {
    GroupedQueryAttention: Rule(_grouped_query_attention, _grouped_heads, visible=True),
    PositionEmbedding: Rule(_position_embedding),
    RMSNormalization: Rule(_root_mean_square, visible=True, over_units=True),
    TiedEmbedding: Rule(_tied_embedding, _output_dim, visible=True),
    TiedLogits: Rule(_tied_logits),
    Keras3LayerWrapper: Rule(_wrapped, _wrapped_config),
}
