"""Cross-layer equalization: chains of Conv, DepthwiseConv and Dense layers with ReLU or nothing between them.

From Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction" (arXiv:1906.04721).
The paper compares the ranges of two kernels, for files with one scale for each kernel. TFLite has a scale for each
output channel, so the first kernel has nothing to gain; the activation between them, with one scale, has. So its
measured range takes the place of the first kernel's.
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.calibration.rewrites.chains import Chain, Part, Search, search
from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.graph.layers import layer_type

_OUT = {
    layers.Conv1D: (2,), layers.Conv2D: (3,), layers.Conv3D: (4,), layers.Dense: (1,), layers.Conv2DTranspose: (2,),
    layers.DepthwiseConv1D: (1, 2), layers.DepthwiseConv2D: (2, 3),
}  # fmt: skip
"""Axes of the results in the kernel of each layer."""
_IN = {
    layers.Conv1D: (1,), layers.Conv2D: (2,), layers.Conv3D: (3,), layers.Dense: (0,),
    layers.DepthwiseConv1D: (1,), layers.DepthwiseConv2D: (2,),
}  # fmt: skip
"""Axis of what it reads."""
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_HOMOGENEOUS = {"linear", "relu", "leaky_relu"}
"""Functions with f(x / s) = f(x) / s for each s > 0."""
_PASSES = (
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.GaussianDropout, layers.GaussianNoise),
    *(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.Cropping1D, layers.Cropping2D),
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.AveragePooling1D, layers.AveragePooling2D),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D),
    *(layers.UpSampling1D, layers.UpSampling2D, layers.ActivityRegularization, layers.Flatten),
)
"""Layers that leave the channels apart, and scale with them."""


def equalization_chains(model: tf_keras.Model) -> Search:
    """The chains of one functional model, as `search` finds them."""
    return search(model, _OUT, _chain)


@dataclass(frozen=True)
class _Reader:
    """The layer that reads a result, and the weights that are divided on the way to it."""

    name: str
    made_by: tuple[Part, ...]


def _chain(graph: Graph, name: str) -> Chain | str:
    """The chain that begins with a layer, or why there is none."""
    layer = graph.layers[name]
    if graph.is_shared(name):
        return "it is called several times"
    if function_name(layer) not in _HOMOGENEOUS:
        return f"its activation {function_name(layer)} does not scale"
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return "its channels are not the last axis"
    found = _reader(graph, name)
    if isinstance(found, str):
        return found
    reader = graph.layers[found.name]
    if getattr(reader, "groups", 1) != 1 or getattr(reader, "data_format", "channels_last") != "channels_last":
        return f"{found.name} reads the channels in groups, or not as the last axis"
    tensor = _one(reader.get_input_at(0))
    channels = int(_one(layer.get_output_at(0)).shape[-1])
    kernel = Part(_kernel(reader), _IN[type(reader)])
    return Chain(f"{name} -> {found.name}", tensor, channels, found.made_by, (kernel,), isinstance(reader, _DEPTHWISE))


def _reader(graph: Graph, name: str) -> _Reader | str:
    """Follows the result of a layer to the kernel that reads it; a sentence where something is in the way."""
    layer = graph.layers[name]
    made_by = [Part(_kernel(layer), _OUT[type(layer)])]
    made_by += [] if layer.bias is None else [Part(layer.bias, (0,))]
    at = name
    while (following := graph.only_consumer(at)) is not None:
        between = graph.layers[following]
        if type(between) in _IN:
            return _Reader(following, tuple(made_by))
        if type(between) is layers.BatchNormalization:
            if between.gamma is None or [*between.axis] != [len(between.get_input_at(0).shape) - 1]:
                return f"{following} has no scale for each channel of the last axis"
            made_by = [Part(weight, (0,)) for weight in (between.gamma, between.beta) if weight is not None]
        elif not _scales(between):
            return f"{following} ({layer_type(between)}) does not scale"
        at = following
    return "its result has several readers or is an output"


def _scales(layer: tf_keras.layers.Layer) -> bool:
    """Whether f(x / s) = f(x) / s for a positive s of each channel."""
    if type(layer) is layers.ReLU:
        return layer.max_value is None and not layer.threshold
    if type(layer) is layers.Activation:
        return function_name(layer) in _HOMOGENEOUS
    if type(layer) is layers.Reshape:
        before, after = layer.get_input_at(0).shape, layer.get_output_at(0).shape
        return after[-1] == before[-1] or len(after) == 2
    channels_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    return type(layer) in (layers.LeakyReLU, layers.PReLU) or (type(layer) in _PASSES and channels_last)


def _kernel(layer: tf_keras.layers.Layer) -> tf.Variable:
    return layer.depthwise_kernel if isinstance(layer, _DEPTHWISE) else layer.kernel


def _one(tensors: object) -> tf.Tensor:
    return tf.nest.flatten(tensors)[0]
