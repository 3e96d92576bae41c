"""How much a layer computes: multiply-accumulate operations for one example."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.graph.calls import calls
from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, RMSNormalization, TiedEmbedding, TiedLogits
from tfopt.backend.types import Shape


def macs(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int | None:
    """Multiply-accumulate operations of one call of a layer on one example.

    Counted are products with kernels and between tensors (convolutions, matrix products, attention), as is usual in
    the field: MobileNetV2 at 224x224 has 300 million. Biases, batch normalization, activations, pooling and the gates
    of recurrent cells are not counted.

    Args:
        layer: built.
        inputs: shapes of its input tensors, with the batch axis.
        output: shape of its (first) result, with the batch axis.

    Returns:
        None where it cannot be known: the size of the input is not fixed, or the layer computes something of its own.
    """
    count = next((COUNTS[kind] for kind in type(layer).__mro__ if kind in COUNTS), None)
    if count is None:
        return 0 if _only_moves_numbers(layer) else None
    try:
        return count(layer, inputs, output)
    except _UnknownSize:
        return None


def macs_of_model(model: tf_keras.Model) -> int | None:
    """Multiply-accumulate operations of a model on one example; None where those of a layer cannot be known.

    Args:
        model: functional, or a built Sequential; of other models the layers are not known.
    """
    counts = [macs(call.layer, call.inputs, call.output) for call in calls(model)]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def products_between_positions(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> int | None:
    """The operations of attention between positions, without those of its kernels; 0 for other layers.

    Args:
        layer: built.
        inputs: shapes of its input tensors, with the batch axis.

    Returns:
        None where a size is not fixed.
    """
    try:
        if isinstance(layer, layers.MultiHeadAttention):
            key = _product(inputs[min(1, len(inputs) - 1)][1:-1])
            return _product(inputs[0][1:-1]) * key * layer._num_heads * (layer._key_dim + layer._value_dim)
        if isinstance(layer, GroupedQueryAttention):
            return 2 * _product(inputs[0][1:-1]) ** 2 * layer.num_heads * layer.head_size
    except _UnknownSize:
        return None
    return 0


class _UnknownSize(Exception):
    """A size that the computation hangs on is not fixed."""


def _product(sizes: Sequence[int | None]) -> int:
    if any(size is None for size in sizes):
        raise _UnknownSize
    return math.prod(size for size in sizes if size is not None)


def _places(layer: tf_keras.layers.Layer, shape: Shape) -> int:
    """Places at which a convolution is evaluated."""
    return _product(shape[2:] if layer.data_format == "channels_first" else shape[1:-1])


def _size(variable: tf.Variable) -> int:
    return int(math.prod(variable.shape))


def _convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _size(layer.kernel) * _places(layer, output)


def _transposed_convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _size(layer.kernel) * _places(layer, inputs[0])


def _depthwise_convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _size(layer.depthwise_kernel) * _places(layer, output)


def _separable_convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return (_size(layer.depthwise_kernel) + _size(layer.pointwise_kernel)) * _places(layer, output)


def _locally_connected(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    channels = inputs[0][1] if layer.data_format == "channels_first" else inputs[0][-1]
    return _places(layer, output) * layer.filters * _product((*layer.kernel_size, channels))


def _dense(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _size(layer.kernel) * _product(inputs[0][1:-1])


def _einsum_dense(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    """Every index of the equation once, but for the batch: each choice of them is one product."""
    left, _ = layer.equation.replace(" ", "").split("->")
    data, weight = left.split(",")
    sizes = dict(zip(weight, layer.kernel.shape, strict=True))
    head, dots, tail = data.partition("...")
    shape = inputs[0]
    rest = shape[len(head) : len(shape) - len(tail)] if dots else ()
    named = [*zip(head, shape, strict=False), *zip(tail, shape[len(shape) - len(tail) :], strict=False)]
    sizes |= dict(named)
    batch = head[0] if head else None
    # Without a letter of its own, the batch is the first of the axes behind the dots.
    return _product([size for name, size in sizes.items() if name != batch]) * _product(rest if head else rest[1:])


def _multi_head_attention(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    query = _product(inputs[0][1:-1])
    key = _product(inputs[min(1, len(inputs) - 1)][1:-1])
    projections = query * _size(layer._query_dense.kernel) + key * (
        _size(layer._key_dense.kernel) + _size(layer._value_dense.kernel)
    )
    between = _product((products_between_positions(layer, inputs),))
    return projections + between + query * _size(layer._output_dense.kernel)


def _grouped_query_attention(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    positions = _product(inputs[0][1:-1])
    projections = sum(_size(kernel) for kernel in layer.get_prunable_weights())
    return positions * projections + _product((products_between_positions(layer, inputs),))


def _tied_logits(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _product(output[1:]) * _product((inputs[0][-1],))


def _nothing(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return 0


def _attention(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    query, value = inputs[0], inputs[1]
    pairs = _product(query[1:-1]) * _product(value[1:-1])
    return pairs * _product((query[-1],)) + pairs * _product((value[-1],))


def _dot(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    axis = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return _product(output[1:]) * _product((inputs[0][axis],))


def _recurrent(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    steps = _product((inputs[0][0 if layer.time_major else 1],))
    return steps * sum(_cell(cell) for cell in _cells(layer.cell))


def _cells(cell: tf_keras.layers.Layer) -> Iterator[tf_keras.layers.Layer]:
    yield from getattr(cell, "cells", (cell,))


def _cell(cell: tf_keras.layers.Layer) -> int:
    if not hasattr(cell, "kernel") or not hasattr(cell, "recurrent_kernel"):
        raise _UnknownSize
    return _size(cell.kernel) + _size(cell.recurrent_kernel)


def _recurrent_convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    axes = len(layer.kernel_size)
    spatial = output[-1 - axes : -1] if layer.data_format == "channels_last" else output[-axes:]
    steps = _product((inputs[0][1],))
    return steps * _product(spatial) * (_size(layer.cell.kernel) + _size(layer.cell.recurrent_kernel))


def _bidirectional(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    return _recurrent(layer.forward_layer, inputs, output) + _recurrent(layer.backward_layer, inputs, output)


def _time_distributed(layer: tf_keras.layers.Layer, inputs: Sequence[Shape], output: Shape) -> int:
    steps = _product((inputs[0][1],))
    inner = macs(layer.layer, [(inputs[0][0], *inputs[0][2:])], (output[0], *output[2:]))
    if inner is None:
        raise _UnknownSize
    return steps * inner


COUNTS: Mapping[type, Callable[[tf_keras.layers.Layer, Sequence[Shape], Shape], int]] = {
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.Conv3D: _convolution,
    layers.Conv1DTranspose: _transposed_convolution,
    layers.Conv2DTranspose: _transposed_convolution,
    layers.Conv3DTranspose: _transposed_convolution,
    layers.DepthwiseConv1D: _depthwise_convolution,
    layers.DepthwiseConv2D: _depthwise_convolution,
    layers.SeparableConv1D: _separable_convolution,
    layers.SeparableConv2D: _separable_convolution,
    layers.LocallyConnected1D: _locally_connected,
    layers.LocallyConnected2D: _locally_connected,
    layers.Dense: _dense,
    layers.EinsumDense: _einsum_dense,
    layers.MultiHeadAttention: _multi_head_attention,
    layers.Attention: _attention,
    layers.AdditiveAttention: _attention,
    layers.Dot: _dot,
    layers.RNN: _recurrent,
    layers.ConvLSTM1D: _recurrent_convolution,
    layers.ConvLSTM2D: _recurrent_convolution,
    layers.ConvLSTM3D: _recurrent_convolution,
    layers.Bidirectional: _bidirectional,
    layers.TimeDistributed: _time_distributed,
    GroupedQueryAttention: _grouped_query_attention,
    TiedLogits: _tied_logits,
    **dict.fromkeys((PositionEmbedding, RMSNormalization, TiedEmbedding), _nothing),
}
"""How to count, by layer type; a subclass is counted as its base class."""


def _only_moves_numbers(layer: tf_keras.layers.Layer) -> bool:
    """Whether a layer of no counted type has no products: Keras layers, and operators that are not matrix products."""
    module = type(layer).__module__.split(".")[0]
    if module not in ("keras", "tf_keras"):
        return False
    function = getattr(layer, "function", None)
    name = getattr(function, "__name__", "")
    return type(layer).__name__ not in ("Lambda", "SpectralNormalization") and not any(
        product in name for product in ("matmul", "einsum", "tensordot", "conv")
    )
