"""Sequences and vectors computed as images: axes of size 1 are added before a layer and dropped after it."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.quantization.canonical.custom_layers import InsertAxes, RemoveAxes
from tfopt.backend.quantization.canonical.rewrite import RewriteSite

IMAGE_RANK = 4
"""Axes of a batch of images: examples, height, width, channels."""


def expand_to_4d(
    site: RewriteSite, inputs: tf.Tensor, compute: Callable[[tf.Tensor], tf.Tensor], drop_axes: bool = True
) -> tf.Tensor:
    """Adds axes of size 1 until the inputs have four, calls `compute`, and drops the added axes from its result.

    Args:
        site: the layer that is rewritten.
        inputs: a tensor of two to four axes.
        compute: maps a tensor of four axes to one of four.
        drop_axes: False if the result of `compute` does not have the added axes any more.
    """
    missing = IMAGE_RANK - len(inputs.shape)
    if not missing:
        return compute(inputs)
    expanded = site.make("image", lambda name: InsertAxes(missing, name=name))(inputs)
    result = compute(expanded)
    return site.make("flat", lambda name: RemoveAxes(missing, name=name))(result) if drop_axes else result
