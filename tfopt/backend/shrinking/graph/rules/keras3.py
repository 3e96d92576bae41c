"""Layers and operations of Keras 3 that tf_keras runs in a wrapper."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.shrinking.graph.activations import layer_is_elementwise
from tfopt.backend.shrinking.graph.call import Call, Labelled
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.contraction import contracted
from tfopt.backend.shrinking.graph.rules.elementwise import merged
from tfopt.backend.shrinking.graph.rules.operators import (
    FULL_SLICE,
    divided,
    padded,
    reduced,
    sliced,
    slices_of,
    stacked,
    turned,
)
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array, Nested, SerializedLayer

_ATTENDED = ("query", "value", "key")
"""Arguments of attention, in their order."""
_Spec = tuple[list[int | None], str]
"""Shape and dtype of a tensor that a wrapped layer is called with."""


def _wrapped(call: Call) -> list[Array]:
    """Of what only Keras 3 has, known are the layers of `_LAYERS`, and operations that `_OPERATIONS` has."""
    wrapped = call.layer.wrapped
    if isinstance(wrapped, keras.Operation) and not isinstance(wrapped, keras.layers.Layer):
        return _operation(call, wrapped)
    kind = type(wrapped).__name__
    rule = _LAYERS.get(kind)
    several_ways = "others" in call.layer.get_config()
    if rule is None or several_ways or not type(wrapped).__module__.startswith("keras.src."):
        return call.unknown(f"is a layer of Keras 3 ({kind}) that is taken as it is")
    return rule(call)


def _arguments(call: Call) -> tuple[tuple[object, ...], dict[str, object]]:
    """The arguments with which the wrapped layer or operation is called."""
    tensors = [Labelled(labels, shape) for labels, shape in zip(call.inputs, call.shapes, strict=True)]
    args, kwargs = fill(call.layer.pattern_of(int(call.kwargs.get("way", 0))), tensors)
    return tuple(args), dict(kwargs)


def _layer_scale(call: Call) -> list[Array]:
    """The scales of ConvNeXt and CaiT."""
    if len(call.layer.weights) != 1:
        return call.unknown("is a layer of Keras 3 (LayerScale) that is taken as it is")
    return _along_the_last(call)


def _root_mean_square(call: Call) -> list[Array]:
    if not is_root_mean_square(call.layer):
        return call.unknown("normalizes over an axis other than -1")
    return _along_the_last(call)


def is_root_mean_square(layer: tf_keras.layers.Layer) -> bool:
    """Whether a layer is the RMSNormalization of Keras 3 itself, over axis -1."""
    wrapped = getattr(layer, "wrapped", None)
    if wrapped is None or type(wrapped) is not keras.layers.RMSNormalization or len(layer.weights) != 1:
        return False
    return bool(np.atleast_1d(wrapped.axis).tolist() == [-1])


def _along_the_last(call: Call) -> list[Array]:
    axis = len(call.shapes[0]) - 1
    labels = call.along(axis)
    call.use(call.layer.weights[0], 0, labels, "follows")
    return [at_axis(labels, axis, axis + 1)]


def _grouped_query_attention(call: Call) -> list[Array]:
    """A head of keys and values goes with the query heads that share it; where all share one, query heads go."""
    layer = call.layer.wrapped
    args, kwargs = _arguments(call)
    named = dict(zip(_ATTENDED, args, strict=False)) | kwargs
    given = {name: one for name, one in named.items() if name in _ATTENDED and isinstance(one, Labelled)}
    if len(call.output_shapes) > 1 or not {"query", "value"} <= set(given):
        return call.unknown("returns its scores")
    given.setdefault("key", given["value"])
    variables = _variables(call.layer)
    queries, shared = layer.num_query_heads, layer.num_key_value_heads
    units = queries if shared == 1 else shared
    query = variables[id(layer._query_dense.kernel)]
    heads = call.produced(query, 1, units, "heads", queries // units * layer.head_dim)
    of_queries = np.repeat(heads, queries // units)
    projections = [("query", layer._query_dense), ("key", layer._key_dense), ("value", layer._value_dense)]
    if getattr(layer, "use_gate", False):
        projections.append(("query", layer._gate_dense))
    for name, dense in projections:
        kernel, tensor = variables[id(dense.kernel)], given[name]
        inputs = call.units.along(tensor.labels, len(tensor.shape) - 1, kernel.shape[0])
        call.use(kernel, 0, inputs, "consumes")
        if name != "query" and shared == 1:
            continue
        labels = of_queries if name == "query" else heads
        call.use(kernel, 1, labels, "produces")
        if dense.bias is not None:
            call.use(variables[id(dense.bias)], 0, labels, "produces")
    mask = kwargs.get("attention_mask")
    if isinstance(mask, Labelled) and len(mask.shape) == 4 and mask.shape[1] != 1:
        call.fix(heads, "has a mask for each head")
    output = layer._output_dense
    kernel = variables[id(output.kernel)]
    call.use(kernel, 0, of_queries, "consumes")
    features = call.produced(kernel, 2, kernel.shape[2], "width")
    call.use(kernel, 2, features, "produces")
    if output.bias is not None:
        call.use(variables[id(output.bias)], 0, features, "produces")
    # The layer has no key for the width of its output, which is that of its queries.
    query_tensor = given["query"]
    call.units.unite(call.units.along(query_tensor.labels, len(query_tensor.shape) - 1, kernel.shape[2]), features)
    return [at_axis(features, -1, len(call.output_shapes[0]))]


def _variables(wrapper: tf_keras.layers.Layer) -> Mapping[int, tf.Variable]:
    """The variables of a wrapper, by the identity of those of the wrapped layer."""
    values = {id(one): one for one in wrapper.weights}
    return {id(one): values[id(one.value)] for one in wrapper.wrapped.variables if id(one.value) in values}


def _operation(call: Call, operation: keras.Operation) -> list[Array]:
    rule = _OPERATIONS.get(type(operation).__name__)
    of_keras = type(operation).__module__.startswith("keras.src.ops.")
    if of_keras and rule is not None:
        return rule(call, operation)
    tensors = [Labelled(labels, shape) for labels, shape in zip(call.inputs, call.shapes, strict=True)]
    if call.keeps_places(tensors) and layer_is_elementwise(call.layer, [len(shape) for shape in call.shapes]):
        return merged(call)
    return _taken_as_it_is(call, operation)


def _taken_as_it_is(call: Call, operation: keras.Operation) -> list[Array]:
    return call.unknown(f"is an operation of Keras 3 ({type(operation).__name__}) that is taken as it is")


def _first(call: Call) -> Labelled:
    return Labelled(call.inputs[0], call.shapes[0])


def _mean(call: Call, operation: keras.Operation) -> list[Array]:
    return reduced(call, _first(call), operation.axis)


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


def _get_item(call: Call, operation: keras.Operation) -> list[Array]:
    args, kwargs = _arguments(call)
    key = args[1] if len(args) > 1 else kwargs.get("key")
    parts = list(key) if isinstance(key, list | tuple) else [key]
    if len(call.inputs) != 1 or any(isinstance(part, Labelled) for part in parts):
        return _taken_as_it_is(call, operation)
    tensor = _first(call)
    varying = {axis for axis, size in enumerate(call.units.compressed(tensor.labels).shape) if size > 1}
    full = [part for part in parts if part is None or part is Ellipsis or not isinstance(part, slice | int)]
    if any(part is not None and part is not Ellipsis for part in full):
        return _taken_as_it_is(call, operation)
    as_bounds = [
        {"start": part.start, "stop": part.stop, "step": part.step} if isinstance(part, slice) else part
        for part in parts
    ]
    if _takes_some(as_bounds, len(tensor.shape), varying):
        # The bounds would have to count what stays before them.
        return call.unknown("takes some of the units")
    return sliced(call, tensor, as_bounds)


def _takes_some(key: Nested, rank: int, varying: set[int]) -> bool:
    return any(axis in varying and part != FULL_SLICE for axis, part in slices_of(key, rank).steps)


def _pad(call: Call, operation: keras.Operation) -> list[Array]:
    amounts, tensor = operation.pad_width, _first(call)
    labels = padded(call, tensor, list(amounts) * len(tensor.shape) if len(amounts) == 1 else amounts)
    return _taken_as_it_is(call, operation) if labels is None or len(call.inputs) > 1 else [labels]


def _resize(call: Call, operation: keras.Operation) -> list[Array]:
    rank = len(call.shapes[0])
    if operation.data_format != "channels_last" or operation.pad_to_aspect_ratio:
        return _taken_as_it_is(call, operation)
    return [at_axis(call.along(rank - 1), rank - 1, rank)]


def _flip(call: Call, operation: keras.Operation) -> list[Array]:
    labels = turned(call, _first(call), operation.axis)
    return _taken_as_it_is(call, operation) if labels is None else [labels]


def _stack(call: Call, operation: keras.Operation) -> list[Array]:
    tensors = [Labelled(labels, shape) for labels, shape in zip(call.inputs, call.shapes, strict=True)]
    return stacked(call, tensors, operation.axis)


def _split(call: Call, operation: keras.Operation) -> list[Array]:
    parts = divided(call, _first(call), operation.axis)
    if parts[0] is not parts[-1] and id(call.layer) in call.trace.outputs:
        # One list of bounds for all calls.
        for part, earlier in zip(parts, call.trace.outputs[id(call.layer)], strict=True):
            call.units.unite(earlier, part)
    return parts


_LAYERS: Mapping[str, Callable[[Call], list[Array]]] = {
    "LayerScale": _layer_scale,
    "RMSNormalization": _root_mean_square,
    "GroupedQueryAttention": _grouped_query_attention,
}

_OPERATIONS: Mapping[str, Callable[[Call, keras.Operation], list[Array]]] = {
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Var", "Std"), _mean),
    "Matmul": _matmul,
    "Einsum": _einsum,
    "GetItem": _get_item,
    "Pad": _pad,
    "Resize": _resize,
    "Flip": _flip,
    "Stack": _stack,
    "Split": _split,
}


def _changes(resized: Resized) -> Changes:
    wrapped = resized.layer.wrapped
    config = resized.layer.get_config()
    hosted: SerializedLayer = json.loads(config["hosted"])
    specs: list[_Spec] = json.loads(config["specs"])
    kind = type(wrapped).__name__
    if kind == "GroupedQueryAttention":
        return _attention_changes(resized, hosted, specs)
    if resized.before == resized.after:
        return {}
    size = resized.after[0][-1]
    if kind == "Split":
        axis = wrapped.axis % len(resized.before[0])
        sizes = [shape[axis] for shape in resized.after]
        if sizes == [shape[axis] for shape in resized.before]:
            return {}  # units lie along another axis; the size of this one may be open
        hosted["config"]["indices_or_sections"] = np.cumsum([int(size or 0) for size in sizes])[:-1].tolist()
        return {"hosted": json.dumps(hosted)}
    if kind == "LayerScale":
        hosted["config"]["projection_dim"] = size
    elif kind != "RMSNormalization":
        return {}
    return {"hosted": json.dumps(hosted), "specs": json.dumps([[[*shape[:-1], size], dtype] for shape, dtype in specs])}


def _attention_changes(resized: Resized, hosted: SerializedLayer, specs: list[_Spec]) -> Changes:
    layer, variables = resized.layer.wrapped, _variables(resized.layer)

    def size(dense: keras.layers.Layer, axis: int) -> int:
        return resized.shape_of(variables[id(dense.kernel)])[axis]

    hosted["config"]["num_query_heads"] = size(layer._query_dense, 1)
    hosted["config"]["num_key_value_heads"] = size(layer._key_dense, 1)
    args, kwargs = fill(resized.layer.pattern_of(0), list(range(len(specs))))
    given = dict(zip(_ATTENDED, args, strict=False)) | kwargs
    for name, dense in (("query", layer._query_dense), ("value", layer._value_dense), ("key", layer._key_dense)):
        if isinstance(given.get(name), int):
            shape, dtype = specs[given[name]]
            specs[given[name]] = ([*shape[:-1], size(dense, 0)], dtype)
    return {"hosted": json.dumps(hosted), "specs": json.dumps(specs)}


RULES: dict[type[tf_keras.layers.Layer], Rule] = {
    Keras3LayerWrapper: Rule(_wrapped, _changes, over_units=True),
}
