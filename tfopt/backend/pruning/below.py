"""The weights of a kernel whose scores are not below a threshold."""

from __future__ import annotations

import math

import tensorflow as tf

from tfopt.core.config.schedules import Threshold


def kept_weights(scores: tf.Tensor, threshold: Threshold) -> tf.Tensor:
    """Whether each weight stays.

    Args:
        scores: of the weights of a kernel, in its shape.
        threshold: the value, and the most zeros: where more weights are below, the largest of them stay.

    Returns:
        Boolean, in the shape of the kernel.
    """
    size = math.prod(scores.shape)
    least = max(1, size - math.floor(threshold.ceiling * size))
    largest = tf.math.top_k(tf.reshape(scores, [-1]), least).indices
    stays = tf.scatter_nd(largest[:, tf.newaxis], tf.ones([least], tf.int32), [size])
    return (scores >= tf.cast(threshold.below, scores.dtype)) | tf.cast(tf.reshape(stays, tf.shape(scores)), tf.bool)
