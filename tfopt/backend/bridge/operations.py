"""tf_keras layers that compute exactly what an operation of `keras.ops` computes: tfmot supports and fuses them.

Whatever is not surely equal (broadcasting, mixed dtypes, masks, which operations drop and layers pass on) has no
equivalent here and is wrapped.
"""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.activations import BY_NAME
from tfopt.backend.bridge.reading.graph import Call, mask_of
from tfopt.backend.types import Nested

layers = tf_keras.layers

_MERGES = {
    "Add": layers.Add,
    "Maximum": layers.Maximum,
    "Minimum": layers.Minimum,
    "Multiply": layers.Multiply,
    "Subtract": layers.Subtract,
}
_ACTIVATIONS = {
    "Elu": "elu",
    "Gelu": "gelu",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "Mish": "mish",
    "Relu": "relu",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "swish",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
_POOLS = {
    ("Mean", 3): layers.GlobalAveragePooling1D,
    ("Mean", 4): layers.GlobalAveragePooling2D,
    ("Max", 3): layers.GlobalMaxPooling1D,
    ("Max", 4): layers.GlobalMaxPooling2D,
}
"""Operation and rank -> pooling over all axes but the first and the last."""


def equivalent_operation(call: Call, inputs: list[tf.Tensor]) -> tuple[tf_keras.layers.Layer, Nested] | None:
    """The layer for an operation, and what to call it with; None where no layer is exactly equal.

    Args:
        call: of an operation of `keras.ops`.
        inputs: the tf_keras counterparts of its tensors, in the order of `call.inputs`.
    """
    operation = call.operation
    kind, name = type(operation).__name__, operation.name
    of_keras = type(operation).__module__.startswith("keras.src.ops.")
    plain = not any(mask_of(tensor) is not None for tensor in inputs)
    floats = {tensor.dtype.name for tensor in inputs}
    dtype = next(iter(floats)) if len(floats) == 1 else ""
    if not (of_keras and plain and "float" in dtype and not call.kwargs):
        return None
    options = {"name": name, "dtype": dtype}
    if len(inputs) == 2 and len(call.args) == 2:
        fits = _broadcasts(*(tensor.shape.as_list() for tensor in inputs))
        return (_MERGES[kind](**options), inputs) if kind in _MERGES and fits else None
    if kind == "Concatenate" and operation.axis % inputs[0].shape.rank != 0:
        return layers.Concatenate(axis=operation.axis, **options), inputs
    if len(inputs) != 1:
        return None
    if kind in ("GetItem", "ExpandDims", "Squeeze"):
        shape = _with_other_axes(call, inputs[0])
        return None if shape is None else (layers.Reshape(shape, **options), inputs[0])
    if len(call.args) == 2:
        return _with_constant(kind, call, inputs, options)
    layer = _of_one(kind, operation, inputs[0], options)
    return None if layer is None else (layer, inputs[0])


def _broadcasts(left: list[int | None], right: list[int | None]) -> bool:
    """Whether two shapes are merged alike in both libraries: of one rank, with equal sizes or 1 behind the batch."""
    if len(left) != len(right) or left[:1] != right[:1]:
        return False
    pairs = zip(left[1:], right[1:], strict=True)
    return left == right or all(one is not None and (one == two or 1 in (one, two)) for one, two in pairs)


def _with_other_axes(call: Call, tensor: tf.Tensor) -> tuple[int, ...] | None:
    """The new shape behind the batch, where an operation only adds or drops axes of size 1 there; else None."""
    old, new = list(tensor.shape), list(call.outputs[0].shape)
    kept = [size for size in new[1:] if size is not None]
    if not new or old[0] != new[0] or None in old[1:] or len(kept) != len(new) - 1:
        return None
    if [size for size in old[1:] if size != 1] != [size for size in kept if size != 1]:
        return None
    if type(call.operation).__name__ == "GetItem":
        key = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
        if not key or key[0] != slice(None) or any(part is not None and part != slice(None) for part in key):
            return None
    return tuple(kept)


def _with_constant(
    kind: str, call: Call, inputs: list[tf.Tensor], options: dict[str, str]
) -> tuple[tf_keras.layers.Layer, Nested] | None:
    """Arithmetic with a number as a Rescaling, `scale * x + offset`."""
    constant = _number(next(value for value in call.args if not isinstance(value, keras.KerasTensor)))
    if isinstance(constant, bool) or not isinstance(constant, int | float) or options["dtype"] != "float32":
        return None
    first = isinstance(call.args[0], keras.KerasTensor)
    scale_and_offset = {
        ("Add", first): (1.0, float(constant)),
        ("Multiply", first): (float(constant), 0.0),
        ("Subtract", True): (1.0, -float(constant)),
        ("Subtract", False): (-1.0, float(constant)),
    }
    # The last bit may differ from a true division.
    if constant != 0:
        scale_and_offset |= {(divide, True): (1 / constant, 0.0) for divide in ("Divide", "TrueDivide")}
    if (kind, first) not in scale_and_offset:
        return None
    scale, offset = scale_and_offset[kind, first]
    return layers.Rescaling(scale=scale, offset=offset, **options), inputs[0]


def _number(value: Nested) -> Nested:
    """A tensor or array without axes as a number; anything else as it is."""
    if tf.is_tensor(value) or isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return float(array) if array.shape == () and array.dtype.kind == "f" else value
    return value


def _of_one(
    kind: str, operation: keras.Operation, tensor: tf.Tensor, options: dict[str, str]
) -> tf_keras.layers.Layer | None:
    shape = tensor.shape.as_list()
    if kind in _ACTIVATIONS:
        exact = getattr(operation, "alpha", 1.0) == 1.0
        name = _ACTIVATIONS[kind] + ("_approximate" if getattr(operation, "approximate", False) else "")
        return layers.Activation(BY_NAME.get(name, name), **options) if exact else None
    if kind == "Relu6":
        return layers.ReLU(6.0, **options)
    if kind == "LeakyRelu":
        return layers.LeakyReLU(alpha=operation.negative_slope, **options)
    if kind == "Softmax" and operation.axis is not None and operation.axis != 0:
        return layers.Softmax(axis=operation.axis, **options)
    if (kind, len(shape)) in _POOLS and getattr(operation, "initial", None) is None:
        axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
        spatial = None not in axes and sorted(axis % len(shape) for axis in axes) == list(range(1, len(shape) - 1))
        return _POOLS[kind, len(shape)](keepdims=operation.keepdims, **options) if spatial else None
    if kind == "Negative" and options["dtype"] == "float32":
        return layers.Rescaling(scale=-1.0, **options)
    if kind == "Reshape":
        new = list(operation.newshape)
        batch = new[:1] == [-1] and None not in shape[1:] and -1 not in new[1:] and None not in new[1:]
        same_size = batch and math.prod(new[1:]) == math.prod(shape[1:])
        return layers.Reshape(tuple(new[1:]), **options) if same_size else None
    if kind == "Transpose" and operation.axes is not None and tuple(operation.axes)[:1] == (0,):
        return layers.Permute(tuple(axis % len(shape) for axis in operation.axes[1:]), **options)
    return None
