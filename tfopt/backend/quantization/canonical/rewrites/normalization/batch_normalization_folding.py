"""Batch normalization folded into a kernel where the converter does not do it; its statistics are frozen.

After a Conv2DTranspose the converter leaves MUL and ADD in float (TF 2.21, without calibration data); after a kernel
that is called more than once there is no single pair to fold. The kernel keeps its zeros, and equal values of one
channel stay equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.quantization.canonical.batch_norm import folds_into, scale_and_shift, with_scale_and_shift
from tfopt.backend.quantization.canonical.kernel_arguments import is_constrained
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite, required
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array

_KERNELS = {
    layers.Conv2D: "kernel",
    layers.Conv2DTranspose: "kernel",
    layers.DepthwiseConv2D: "depthwise_kernel",
}


class KernelWithBatchNormalization(Rewrite):
    title = "BatchNormalization folded in"

    def applies(self, site: RewriteSite) -> bool:
        return _normalization_of(site.graph, site.name) is not None

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights = site.layer, named(site.layer)
        kernel = _KERNELS[type(layer)]
        scale, shift = scale_and_shift(required(_normalization_of(site.graph, site.name)))
        config = {**layer.get_config(), "use_bias": True}
        values = {
            kernel: weights[kernel] * _for_kernel(layer, scale),
            "bias": weights.get("bias", np.zeros_like(shift)) * scale + shift,
        }
        return site.make("", lambda name: type(layer).from_config({**config, "name": name}), values)(inputs)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        layer, made = site.layer, weights[site.name]
        kernel = _KERNELS[type(layer)]
        scale, shift = scale_and_shift(required(_normalization_of(site.graph, site.name)))
        values = {kernel: made[kernel] / _for_kernel(layer, scale), "bias": (made["bias"] - shift) / scale}
        return ordered(layer, values)


class FoldedBatchNormalization(Rewrite):
    title = "folded into the kernel before it"

    def applies(self, site: RewriteSite) -> bool:
        return _kernel_of(site.graph, site.name) is not None

    def replace(self, site: RewriteSite, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        return inputs

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        kernel = required(_kernel_of(site.graph, site.name))
        if kernel.use_bias:  # the kernel's own bias was trained
            return site.layer.get_weights()
        scale, _ = scale_and_shift(site.layer)
        return with_scale_and_shift(site.layer, scale, weights[kernel.name]["bias"])


def _kernel_of(graph: Graph, name: str) -> layers.Layer | None:
    """The kernel's layer into which a batch normalization is folded."""
    producers = set(graph.producers(name))
    kernel = producers.pop() if len(producers) == 1 else None
    if kernel is None or _normalization_of(graph, kernel) is not graph.layers[name]:
        return None
    return graph.layers[kernel]


def _normalization_of(graph: Graph, name: str) -> layers.Layer | None:
    """The batch normalization that is folded into a kernel's layer; None if none is."""
    kernel = graph.layers[name]
    consumers = graph.consumers(name)
    if type(kernel) not in _KERNELS or function_name(kernel) != "linear" or len(set(consumers)) != 1:
        return None
    layer = graph.layers[consumers[0]]
    alone = not graph.is_output(name) and set(graph.producers(layer.name)) == {name}
    together = graph.num_calls(name) == graph.num_calls(layer.name) == len(consumers)
    if type(layer) is not layers.BatchNormalization or not alone or not together or is_constrained(kernel):
        return None
    if folds_into(graph, layer.name) is not None or list(layer.axis) != [3] or kernel.data_format != "channels_last":
        return None
    trains_alike = kernel.trainable == layer.trainable or (kernel.trainable and kernel.use_bias)
    return layer if trains_alike and (np.abs(scale_and_shift(layer)[0]) > 1e-6).all() else None


def _for_kernel(layer: layers.Layer, scale: Array) -> Array:
    """One number per output channel, in the shape in which it multiplies the kernel."""
    if isinstance(layer, layers.Conv2DTranspose):
        return scale[:, None]
    return scale.reshape(-1, layer.depth_multiplier) if isinstance(layer, layers.DepthwiseConv2D) else scale
