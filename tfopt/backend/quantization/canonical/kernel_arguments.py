"""Arguments that a layer with a kernel hands to the layer that replaces it."""

from __future__ import annotations

from typing import Any

from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import RewriteSite

_KEPT = ("activation", "use_bias", "bias_regularizer", "activity_regularizer")


def kept_arguments(layer: Any, kernel: str = "kernel") -> dict[str, Any]:
    """Arguments that another kind of kernel layer takes over as they are.

    Args:
        layer: the original.
        kernel: what the argument for the regularizer of the kernel begins with.
    """
    arguments = {name: getattr(layer, name) for name in _KEPT}
    return {**arguments, f"{kernel}_regularizer": getattr(layer, f"{kernel}_regularizer")}


def is_constrained(layer: Any) -> bool:
    """Whether a constraint holds on a weight: it may mean axes that another kind of layer does not have."""
    return any(value is not None for name, value in vars(layer).items() if name.endswith("_constraint"))


def is_channels_last(layer: Any) -> bool:
    """Whether the channels are the last axis."""
    return layer.data_format == "channels_last"


def padding_2d(layer: Any) -> str:
    """Padding of the convolution itself, once the causal one is a layer of its own."""
    return "valid" if layer.padding == "causal" else layer.padding


def padded_2d(site: RewriteSite, image: Any) -> Any:
    """The image with the zeros in front that a causal convolution looks back at."""
    layer = site.layer
    if layer.padding != "causal":
        return image
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return site.make("padding", lambda name: layers.ZeroPadding2D(((0, 0), (before, 0)), name=name))(image)
