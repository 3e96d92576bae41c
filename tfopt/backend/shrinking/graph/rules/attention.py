"""Attention and embeddings."""

from __future__ import annotations

from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call, Labelled
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array


def _multi_head_attention(call: Call) -> list[Array]:
    """A head is its queries, keys and values, and what the output reads of it."""
    layer = call.layer
    names = ("query", "value", "key")
    given = dict(
        zip(names, (Labelled(one, shape) for one, shape in zip(call.inputs, call.shapes, strict=True)), strict=False)
    )
    given |= {
        name: value for name, value in zip(names[1:], call.args[1:3], strict=False) if isinstance(value, Labelled)
    }
    given |= {name: value for name, value in call.kwargs.items() if name in names and isinstance(value, Labelled)}
    given.setdefault("key", given["value"])
    if layer._attention_axes != tuple(range(1, len(given["query"].shape) - 1)):
        return call.unknown("attends over some of the axes only")
    heads = call.produced(layer._query_dense.kernel, 1, layer._num_heads, "heads", layer._value_dim)
    for name in names:
        projection, tensor = getattr(layer, f"_{name}_dense"), given[name]
        axis = len(tensor.shape) - 1
        size = projection.kernel.shape[0]
        call.use(projection.kernel, 0, call.units.along(tensor.labels, axis, size), "consumes")
        call.use(projection.kernel, 1, heads, "produces")
        if projection.bias is not None:
            call.use(projection.bias, 0, heads, "produces")
    mask = call.kwargs.get("attention_mask")
    if isinstance(mask, Labelled) and len(mask.shape) == 4 and mask.shape[1] != 1:
        call.fix(heads, "has a mask for each head")
    output = layer._output_dense
    call.use(output.kernel, 0, heads, "consumes")
    if len(output.kernel.shape) != 3:
        return call.unknown("has an output of several axes")
    units = call.produced(output.kernel, 2, output.kernel.shape[2], "width")
    call.use(output.kernel, 2, units, "produces")
    if output.bias is not None:
        call.use(output.bias, 0, units, "produces")
    labels = at_axis(units, -1, len(call.output_shapes[0]))
    scores = [call.units.kept(len(shape), f"{call.path!r} returns its scores") for shape in call.output_shapes[1:]]
    if scores:
        call.fix(heads, "returns its scores")
    return [labels, *scores]


def _heads(resized: Resized) -> Changes:
    layer = resized.layer
    query, output = (resized.shape_of(one.kernel) for one in (layer._query_dense, layer._output_dense))
    return {"num_heads": query[1], "output_shape": output[2]}


def _embedding(call: Call) -> list[Array]:
    layer = call.layer
    units = call.produced(layer.embeddings, 1, layer.output_dim, "width")
    call.use(layer.embeddings, 1, units, "produces")
    return [at_axis(units, -1, len(call.output_shapes[0]))]


def _output_dim(resized: Resized) -> Changes:
    return {"output_dim": resized.shape_of(resized.layer.embeddings)[1]}


def _attention(call: Call) -> list[Array]:
    """Queries and keys are multiplied with each other, so all of them stay; values pass."""
    if len(call.output_shapes) > 1:
        return call.unknown("returns its scores")
    values = call.inputs[1]
    for labels in (call.inputs[0], call.inputs[2] if len(call.inputs) > 2 else values):
        call.fix(labels, "multiplies it with another tensor")
    if call.layer.weights and isinstance(call.layer, layers.AdditiveAttention):
        call.fix(values, "scales queries and keys by a weight of the width of its values")
    axis = len(call.shapes[1]) - 1
    return [at_axis(call.along(axis, 1), axis, len(call.output_shapes[0]))]


RULES = {
    layers.MultiHeadAttention: Rule(_multi_head_attention, _heads, visible=True),
    layers.Attention: Rule(_attention),
    layers.AdditiveAttention: Rule(_attention),
    layers.Embedding: Rule(_embedding, _output_dim, visible=True),
}
