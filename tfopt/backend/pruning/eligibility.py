"""Which layers of a model can be pruned, and why the others cannot."""

from __future__ import annotations

import tf_keras

from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import layer_type
from tfopt.backend.pruning.heads import heads_of
from tfopt.core.config.pruning import Pattern

layers = tf_keras.layers

_M_BY_N_LAYERS = (layers.Dense, layers.Conv2D, layers.SeparableConv2D)


def reason_not_prunable(layer: tf_keras.layers.Layer) -> str | None:
    """Why a layer cannot be pruned at all; None if it can."""
    kind = layer_type(layer)
    if not layer.weights:
        return "has no weights"
    if isinstance(layer, layers.DepthwiseConv2D):
        return "DepthwiseConv2D is never pruned by tfmot: its kernels are small and latency does not gain"
    if not prunable_kernels(layer):
        return f"tfmot prunes no weights of {kind}"
    if not layer.trainable:
        return "is frozen (trainable=False)"
    return None


def reason_pattern_impossible(layer: tf_keras.layers.Layer, pattern: Pattern) -> str | None:
    """Why the zeros of a prunable layer cannot be arranged as asked; None if they can."""
    if pattern.unit == "head" and (reason := _reason_no_heads(layer)) is not None:
        return reason
    shapes = [tuple(kernel.shape) for kernel in prunable_kernels(layer)]
    if pattern.sparsity_m_by_n is not None:
        zeros, of = pattern.sparsity_m_by_n
        # tfmot takes the last axis but one as input channels: correct for these layers, a different axis for the rest
        # (Conv2DTranspose, Embedding), and an error at the first training step for kernels of 3 or 5 axes.
        if not isinstance(layer, _M_BY_N_LAYERS) or isinstance(layer, layers.Conv2DTranspose):
            return f"sparsity_m_by_n works on Dense, Conv2D and SeparableConv2D, not on {layer_type(layer)}"
        channels = shapes[0][-2]
        if channels % of:
            return f"sparsity_m_by_n [{zeros}, {of}] needs groups of {of} input channels, and this one has {channels}"
    if pattern.block_size != (1, 1) and any(len(shape) != 2 for shape in shapes):
        return f"block_size works on kernels of 2 axes, and this one has the shape {shapes[0]}"
    return None


def _reason_no_heads(layer: tf_keras.layers.Layer) -> str | None:
    """Why a prunable layer has no heads that could become zero; None if it has."""
    heads = heads_of(layer)
    if heads is None:
        return f"unit: head works on MultiHeadAttention and GroupedQueryAttention, not on {layer_type(layer)}"
    return "unit: head needs several heads, and this layer has one" if heads.count == 1 else None


def reason_not_xnnpack(layer: tf_keras.layers.Layer) -> str | None:
    """Why XNNPACK's sparse inference would not speed up a prunable layer; None if it would.

    XNNPACK has sparse kernels for 1x1 convolutions inside a convolutional net (Elsen et al., "Fast Sparse ConvNets",
    2020, arXiv:1911.09723). tfmot's own `PruneForLatencyOnXNNPack` also demands one exact first layer and so refuses
    MobileNetV2 as Keras ships it; here the layers are chosen and the rest of the graph is not judged.
    """
    advice = "policy xnnpack prunes 1x1 convolutions only"
    if type(layer) is not layers.Conv2D:
        return f"{advice}, not {layer_type(layer)}"
    if layer.kernel_size != (1, 1):
        return f"{advice}, and this one is {layer.kernel_size[0]}x{layer.kernel_size[1]}"
    if layer.strides != (1, 1) or layer.dilation_rate != (1, 1) or layer.groups != 1:
        return f"{advice} with stride 1, no dilation and one group"
    return None


def reason_not_in_blocks(layer: tf_keras.layers.Layer, pattern: Pattern) -> str | None:
    """Why `policy: xnnpack_blocks` leaves a prunable layer dense; None if its kernel can skip blocks of zeros."""
    if type(layer) is not layers.Dense:
        return f"policy xnnpack_blocks prunes Dense layers only, not {layer_type(layer)}"
    inputs, block = layer.kernel.shape[0], pattern.block_size[0]
    if inputs % block:
        return f"policy xnnpack_blocks needs a multiple of {block} inputs, and this one has {inputs}"
    return None


def reason_no_sparse_kernel(layer: tf_keras.layers.Layer) -> str | None:
    """Why XNNPACK has no sparse kernel for a prunable layer; None if it has.

    XNNPACK goes sparse where at least two thirds of the weights of 1x1 convolutions are zero, between a first 3x3
    convolution with stride 2 and a global average pooling (its README in TensorFlow, "Sparse inference"). A Dense layer
    gains from blocks only: 3.2-3.6 times as fast with 80% zeros in blocks along its inputs, 0.9-1.1 times with single
    zeros (4.2 million weights, one example at a time).
    """
    if type(layer) is layers.Dense:
        return (
            "a Dense layer is faster only with zeros in blocks (block_size: [16, 1]) and quantize: none or int8, one "
            "example at a time"
        )
    reason = reason_not_xnnpack(layer)
    return None if reason is None else reason.replace("policy xnnpack prunes", "XNNPACK has sparse kernels for")
