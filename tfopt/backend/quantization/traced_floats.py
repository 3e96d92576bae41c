"""Operators without an integer kernel inside layers that are no standard layers: found by tracing the model.

What a layer of a user, an operation of `keras.ops` or a TensorFlow function computes is not known from its type; the
graph that it leaves is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import SlicingOpLambda, TFOpLambda
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.graph.layers import leaf_layers

FLOAT_OPERATIONS: Mapping[str, str] = {
    "Ceil": "CEIL",
    "Cos": "COS",
    "Cumsum": "CUMSUM",
    "Elu": "ELU",
    "Floor": "FLOOR",
    "FloorDiv": "FLOOR_DIV",
    "FloorMod": "FLOOR_MOD",
    "Neg": "NEG",
    "Pow": "POW",
    "Rint": "ROUND",
    "Round": "ROUND",
    "Sign": "SIGN",
    "Sin": "SIN",
    "Square": "SQUARE",
    "ZerosLike": "ZEROS_LIKE",
}
"""Operations that compute in float in an int8 file, and their operators in TFLite (TF 2.21, one operation per file)."""

_NOT_ROUNDED = frozenset({"Cast", "Cos", "Cumsum", "FloorMod", "Neg", "Pow", "Sign", "Sin", "ZerosLike"})
"""Those of which the converter refuses a rounded result where it must share its scale: RuntimeError, no text."""

_PASSES_ON = frozenset(
    {"Identity", "Reshape", "Squeeze", "ExpandDims", "Transpose", "StridedSlice", "Slice", "Pad", "SelectV2"}
)
"""Operations whose result holds values of one that they take."""
_BOUNDS = frozenset({"Maximum", "Add", "AddV2"})
"""What keeps the square of a norm from being zero."""
_LARGEST_EPSILON = 1e-3
_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank"})
_MEASURED = ("tf_keras.", "keras.src.", "tfopt.backend.quantization", "tensorflow_model_optimization.")
"""Modules of layers of which it is known by their types what stays float."""
_INTEGERS = (tf.uint8, tf.int8, tf.int16, tf.uint16, tf.int32, tf.int64)


@dataclass(frozen=True)
class TracedFloat:
    """What a layer computes in float.

    Args:
        operators: TFLite's names.
        at_end: whether the layer's result is that of one whose result the converter gives no integer scale.
    """

    operators: tuple[str, ...]
    at_end: bool

    @property
    def reason(self) -> str:
        """Why the layer stays float."""
        others = [name for name in self.operators if name != "CAST"]
        if not others:
            return "TFLite casts between integers and floats there (CAST)"
        return f"TFLite has no integer kernel for {', '.join(others)}"


def traced_floats(model: tf_keras.Model) -> dict[str, TracedFloat]:
    """The layers with such operators, by name.

    Args:
        model: functional or built; it is traced only if it has layers of users, operations or integer inputs.
    """
    foreign = {layer.name for layer in leaf_layers(model) if _is_foreign(layer)}
    integers = [tensor for tensor in model.inputs if tensor.dtype in _INTEGERS]
    if not foreign and not integers:
        return {}
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]

    def traced(*inputs: tf.Tensor) -> object:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    graph = tf.function(traced).get_concrete_function(*specs).graph
    names = LayerNames([layer.name for layer in leaf_layers(model)])
    found: dict[str, list[str]] = {}
    ends: set[str] = set()
    for operation in _computed(graph, len(specs)):
        layer = names.of(operation.name)
        operator = _float_operator(operation, layer in foreign)
        if layer is None or operator is None:
            continue
        found.setdefault(layer, []).append(operator)
        if operation.type in _NOT_ROUNDED and _leaves(operation, layer, names):
            ends.add(layer)
    return {layer: TracedFloat(tuple(dict.fromkeys(operators)), layer in ends) for layer, operators in found.items()}


def _is_foreign(layer: tf_keras.layers.Layer) -> bool:
    if isinstance(layer, TFOpLambda | SlicingOpLambda | tf_keras.layers.Lambda):
        return True
    return not type(layer).__module__.startswith(_MEASURED)


def _computed(graph: tf.Graph, num_inputs: int) -> Iterator[tf.Operation]:
    """Operations whose results depend on the inputs; what depends on their shapes only becomes a constant."""
    dynamic = {tensor.name for tensor in graph.inputs[:num_inputs]}
    for operation in graph.get_operations():
        if operation.type in _SHAPES or not any(tensor.name in dynamic for tensor in operation.inputs):
            continue
        dynamic.update(tensor.name for tensor in operation.outputs)
        yield operation


def _float_operator(operation: tf.Operation, is_foreign: bool) -> str | None:
    if operation.type == "Cast":
        source, target = operation.inputs[0].dtype, operation.outputs[0].dtype
        if not is_foreign:
            return "CAST" if target.is_floating and source in _INTEGERS else None
        return "CAST" if target.is_floating != source.is_floating else None
    if not is_foreign or operation.type not in FLOAT_OPERATIONS or not operation.outputs[0].dtype.is_floating:
        return None
    if operation.type == "Square" and _is_fused(operation):
        return None
    return FLOAT_OPERATIONS[operation.type]


def _is_fused(square: tf.Operation) -> bool:
    """Whether the converter makes SQUARED_DIFFERENCE or L2_NORMALIZATION of a square and its neighbours."""
    if square.inputs[0].op.type == "Sub":
        return True
    sums = [use for use in square.outputs[0].consumers() if use.type == "Sum"]
    bounded = [use for found in sums for use in found.outputs[0].consumers() if use.type in _BOUNDS]
    return any(_is_small(tensor) for use in bounded for tensor in use.inputs)


def _is_small(tensor: tf.Tensor) -> bool:
    """Whether a tensor is a constant that the converter takes for the epsilon of a norm."""
    value = tf.get_static_value(tensor)
    return value is not None and bool((abs(value) < _LARGEST_EPSILON).all())


def _leaves(operation: tf.Operation, layer: str, names: LayerNames) -> bool:
    """Whether the result of an operation is, but for its shape, that of its layer."""
    for tensor in operation.outputs:
        consumers = tensor.consumers()
        if not consumers:
            return True
        for consumer in consumers:
            if names.of(consumer.name) != layer or (consumer.type in _PASSES_ON and _leaves(consumer, layer, names)):
                return True
    return False
