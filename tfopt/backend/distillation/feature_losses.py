"""Losses between layers of student and teacher: one number for a batch."""

from __future__ import annotations

import tensorflow as tf

_HUBER_DELTA = 1.0


def mean_squared(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Mean of the squared differences: hints, hidden states and attention maps, after projection where shapes differ.

    FitNets (Romero et al. 2015, arXiv:1412.6550, there half of it) and TinyBERT (Jiao et al. 2020, arXiv:1909.10351).
    """
    return tf.reduce_mean(tf.math.squared_difference(student, teacher))


def attention_transfer(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Squared distance of the normalized maps of where activations are strong, mean over the batch.

    Zagoruyko and Komodakis 2017, arXiv:1612.03928: the map is the sum of squares over the channels; numbers of
    channels may differ.

    Args:
        student: (batch, ..., channels).
        teacher: (batch, ..., channels of the teacher), the same places.
    """
    difference = tf.math.squared_difference(_map(student), _map(teacher))
    return tf.reduce_mean(tf.reduce_sum(difference, axis=-1))


def relational(student: tf.Tensor, teacher: tf.Tensor, distance: float, angle: float) -> tf.Tensor:
    """Distances of pairs and angles of triples of examples (Park et al. 2019, arXiv:1904.05068).

    Args:
        student: (batch, ...).
        teacher: (batch, ...), of any other shape.
        distance: weight of the distances, relative to their mean.
        angle: weight of the angles; its memory grows with the cube of the batch.
    """
    one, other = (tf.reshape(x, [tf.shape(x)[0], -1]) for x in (student, teacher))
    loss = tf.zeros([])
    if distance:
        loss += distance * _huber(_distances(one), _distances(other))
    if angle:
        loss += angle * _huber(_angles(one), _angles(other))
    return loss


def _map(features: tf.Tensor) -> tf.Tensor:
    strength = tf.reduce_sum(tf.square(features), axis=-1)
    return tf.math.l2_normalize(tf.reshape(strength, [tf.shape(features)[0], -1]), axis=-1)


def _distances(features: tf.Tensor) -> tf.Tensor:
    """(batch, batch), divided by the mean of those that are not 0."""
    squares = tf.reduce_sum(tf.math.squared_difference(features[:, None], features[None]), axis=-1)
    apart = squares > 0
    # The square root has no gradient at 0, which is where every example meets itself.
    distances = tf.where(apart, tf.sqrt(tf.where(apart, squares, 1.0)), 0.0)
    number = tf.maximum(tf.reduce_sum(tf.cast(apart, tf.float32)), 1.0)
    return tf.math.divide_no_nan(distances, tf.reduce_sum(distances) / number)


def _angles(features: tf.Tensor) -> tf.Tensor:
    """Cosine at each example between any two others, (batch, batch, batch)."""
    directions = tf.math.l2_normalize(features[None] - features[:, None], axis=-1)
    return tf.matmul(directions, directions, transpose_b=True)


def _huber(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    difference = tf.abs(student - teacher)
    quadratic = tf.minimum(difference, _HUBER_DELTA)
    return tf.reduce_mean(0.5 * quadratic**2 + _HUBER_DELTA * (difference - quadratic))
