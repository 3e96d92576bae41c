"""What a conversion asks about masks."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfopt.backend.bridge.reading.graph import Call, mask_of


def is_masked(call: Call, inputs: list[tf.Tensor]) -> bool:
    """Whether a mask reaches a call, on a tensor or as an argument."""
    return any(mask_of(tensor) is not None for tensor in inputs) or any("mask" in key for key in call.kwargs)


def same_masks(left: Sequence[keras.KerasTensor | tf.Tensor], right: Sequence[keras.KerasTensor | tf.Tensor]) -> bool:
    """Whether the same tensors of two lists carry a mask."""
    return [mask_of(tensor) is None for tensor in left] == [mask_of(tensor) is None for tensor in right]
