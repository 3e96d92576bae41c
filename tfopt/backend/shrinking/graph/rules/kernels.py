"""Convolutions and dense layers."""

from __future__ import annotations

import numpy as np
import tf_keras
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array


def channel_axis(layer: tf_keras.layers.Layer, rank: int) -> int:
    """The axis of the channels of a layer's input and output."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def _convolution(call: Call) -> list[Array]:
    layer = call.layer
    axis = channel_axis(layer, len(call.shapes[0]))
    inputs = call.along(axis)
    if layer.groups > 1:
        return _ended(call, _grouped(call, inputs), axis)
    call.use(layer.kernel, -2, inputs, "consumes")
    outputs = call.produced(layer.kernel, -1, layer.filters, "channels")
    call.use(layer.kernel, -1, outputs, "produces")
    return _ended(call, outputs, axis)


def _grouped(call: Call, inputs: Array) -> Array:
    """Many narrow groups lose whole groups; a few wide ones become narrower, all alike."""
    layer = call.layer
    inputs = inputs.reshape(layer.groups, -1)
    width = layer.filters // layer.groups
    if _loses_groups(layer):
        of_group = call.units.along(inputs, 0, layer.groups)
        units = call.produced(layer.kernel, -1, layer.groups, "channels", width)
        call.units.unite(of_group, units)
        outputs = np.repeat(units, width)
    else:
        call.use(layer.kernel, -2, call.units.along(inputs, 1, inputs.shape[1]), "consumes")
        outputs = np.tile(call.produced(layer.kernel, -1, width, "channels", layer.groups), layer.groups)
    call.use(layer.kernel, -1, outputs, "produces")
    return outputs


def _loses_groups(layer: tf_keras.layers.Layer) -> bool:
    width = layer.filters // layer.groups
    return bool(layer.groups >= width or width <= 8)


def _depthwise(call: Call) -> list[Array]:
    layer = call.layer
    axis = channel_axis(layer, len(call.shapes[0]))
    inputs = call.along(axis)
    call.use(layer.depthwise_kernel, -2, inputs, "follows")
    return _ended(call, np.repeat(inputs, layer.depth_multiplier), axis, follows=True)


def _separable(call: Call) -> list[Array]:
    layer = call.layer
    axis = channel_axis(layer, len(call.shapes[0]))
    inputs = call.along(axis)
    call.use(layer.depthwise_kernel, -2, inputs, "follows")
    call.use(layer.pointwise_kernel, -2, np.repeat(inputs, layer.depth_multiplier), "consumes")
    outputs = call.produced(layer.pointwise_kernel, -1, layer.filters, "channels")
    call.use(layer.pointwise_kernel, -1, outputs, "produces")
    return _ended(call, outputs, axis)


def _transposed(call: Call) -> list[Array]:
    layer = call.layer
    axis = channel_axis(layer, len(call.shapes[0]))
    call.use(layer.kernel, -1, call.along(axis), "consumes")
    outputs = call.produced(layer.kernel, -2, layer.filters, "channels")
    call.use(layer.kernel, -2, outputs, "produces")
    return _ended(call, outputs, axis)


def _dense(call: Call) -> list[Array]:
    layer = call.layer
    axis = len(call.shapes[0]) - 1
    call.use(layer.kernel, 0, call.along(axis), "consumes")
    outputs = call.produced(layer.kernel, 1, layer.units, "width")
    call.use(layer.kernel, 1, outputs, "produces")
    return _ended(call, outputs, axis)


def _ended(call: Call, outputs: Array, axis: int, *, follows: bool = False) -> list[Array]:
    """Bias and activation, and the labels as those of the output."""
    layer = call.layer
    if layer.use_bias:
        call.use(layer.bias, 0, outputs, "follows" if follows else "produces")
    labels = at_axis(outputs, axis, len(call.output_shapes[0]))
    call.through(layer.activation, labels)
    return [labels]


def _filters(resized: Resized) -> Changes:
    layer, shape = resized.layer, resized.shape_of(resized.layer.kernel)
    if not _loses_groups(layer):
        return {"filters": shape[-1]}
    return {"filters": shape[-1], "groups": shape[-1] * layer.groups // layer.filters}


def _pointwise_filters(resized: Resized) -> Changes:
    return {"filters": resized.shape_of(resized.layer.pointwise_kernel)[-1]}


def _transposed_filters(resized: Resized) -> Changes:
    return {"filters": resized.shape_of(resized.layer.kernel)[-2]}


def _units(resized: Resized) -> Changes:
    return {"units": resized.shape_of(resized.layer.kernel)[1]}


_CONVOLUTION = Rule(_convolution, _filters, visible=True)
_TRANSPOSED = Rule(_transposed, _transposed_filters, visible=True)
_SEPARABLE = Rule(_separable, _pointwise_filters, visible=True)
_DEPTHWISE = Rule(_depthwise, visible=True)

RULES = {
    layers.Conv1D: _CONVOLUTION,
    layers.Conv2D: _CONVOLUTION,
    layers.Conv3D: _CONVOLUTION,
    layers.Conv1DTranspose: _TRANSPOSED,
    layers.Conv2DTranspose: _TRANSPOSED,
    layers.Conv3DTranspose: _TRANSPOSED,
    layers.DepthwiseConv1D: _DEPTHWISE,
    layers.DepthwiseConv2D: _DEPTHWISE,
    layers.SeparableConv1D: _SEPARABLE,
    layers.SeparableConv2D: _SEPARABLE,
    layers.Dense: Rule(_dense, _units, visible=True),
}
