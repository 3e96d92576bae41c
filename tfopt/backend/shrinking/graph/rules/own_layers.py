"""Layers of tfopt's own."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, RMSNormalization, TiedEmbedding, TiedLogits
from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array


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


RULES: dict[type[tf_keras.layers.Layer], Rule] = {
    GroupedQueryAttention: Rule(_grouped_query_attention, _grouped_heads, visible=True),
    PositionEmbedding: Rule(_position_embedding),
    RMSNormalization: Rule(_root_mean_square, visible=True, over_units=True),
    TiedEmbedding: Rule(_tied_embedding, _output_dim, visible=True),
    TiedLogits: Rule(_tied_logits),
}
