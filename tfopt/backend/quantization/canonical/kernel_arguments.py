"""Arguments that a layer with a kernel hands to the layer that replaces it."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import RewriteSite
from tfopt.backend.types import Nested

_KEPT = ("activation", "use_bias", "bias_regularizer", "activity_regularizer")


def kept_arguments(layer: layers.Layer, kernel: str = "kernel") -> dict[str, Nested]:
    """Arguments that a kernel layer of a different kind gets unchanged.

    Args:
        layer: the original.
        kernel: prefix of the argument for the regularizer of the kernel.
    """
    arguments = {name: getattr(layer, name) for name in _KEPT}
    return {**arguments, f"{kernel}_regularizer": getattr(layer, f"{kernel}_regularizer")}


def is_constrained(layer: layers.Layer) -> bool:
    """Whether a weight has a constraint: it may refer to axes that a layer of a different kind does not have."""
    return any(value is not None for name, value in vars(layer).items() if name.endswith("_constraint"))


def is_channels_last(layer: layers.Layer) -> bool:
    """Whether the channels are the last axis."""
    return layer.data_format == "channels_last"


def padding_2d(layer: layers.Layer) -> str:
    """Padding of the convolution itself, if causal padding is a separate layer."""
    return "valid" if layer.padding == "causal" else layer.padding


def padded_2d(site: RewriteSite, image: tf.Tensor) -> tf.Tensor:
    """The image with the zeros in front that a causal convolution needs."""
    layer = site.layer
    if layer.padding != "causal":
        return image
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return site.make("padding", lambda name: layers.ZeroPadding2D(((0, 0), (before, 0)), name=name))(image)
