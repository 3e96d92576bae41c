"""What the layers with kernels have in common."""

from __future__ import annotations

from typing import Any

_KEPT = ("activation", "use_bias", "bias_regularizer", "activity_regularizer")


def kept(layer: Any, kernel: str = "kernel") -> dict[str, Any]:
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


def takes_channels_last(layer: Any) -> bool:
    """Whether the channels are the last axis."""
    return layer.data_format == "channels_last"
