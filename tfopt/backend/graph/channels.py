"""Which axes of a kernel are its output channels, and counting distinct values along them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

layers = tf_keras.layers

_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)


def rows(kernel: tf.Tensor, layer: tf_keras.layers.Layer) -> tf.Tensor:
    """The weights of a kernel with one row for each output channel: (channels, weights per channel).

    Args:
        kernel: a kernel of `layer`, as Keras keeps it.
        layer: a transposed convolution has its output channels in the last axis but one, a depthwise one in the last
            two, every other layer in the last.
    """
    rank = len(kernel.shape)
    if isinstance(layer, layers.DepthwiseConv2D) and rank == 4:
        return tf.transpose(tf.reshape(kernel, (-1, kernel.shape[2] * kernel.shape[3])))
    if isinstance(layer, _TRANSPOSED):
        kernel = tf.transpose(kernel, _swapped(rank))
    return tf.transpose(tf.reshape(kernel, (-1, kernel.shape[-1])))


def from_rows(values: tf.Tensor, kernel: tf.Tensor, layer: tf_keras.layers.Layer) -> tf.Tensor:
    """The inverse of `rows`: values in the shape of a kernel."""
    values = tf.transpose(values)
    if not isinstance(layer, _TRANSPOSED):
        return tf.reshape(values, kernel.shape)
    swapped = _swapped(len(kernel.shape))
    return tf.transpose(tf.reshape(values, [kernel.shape[axis] for axis in swapped]), swapped)


def most_unique(rows: np.ndarray) -> int:
    """The largest number of distinct values in any row; 0 where there is none."""
    if not rows.size:
        return 0
    ordered = np.sort(rows, axis=1)
    return int((np.count_nonzero(np.diff(ordered, axis=1), axis=1) + 1).max())


def _swapped(rank: int) -> list[int]:
    """All axes in order, the last two changed for each other."""
    return [*range(rank - 2), rank - 1, rank - 2]
