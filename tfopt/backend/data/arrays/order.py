"""The order of the examples of an epoch."""

from __future__ import annotations

import tensorflow as tf

_WINDOWS = 4
"""Windows whose rows are mixed with each other."""


def shuffled(n: int, key: tf.Tensor, window: int) -> tf.Tensor:
    """Positions of all examples in a random order, which follows from the key alone.

    Args:
        n: number of examples.
        key: (2,) int64.
        window: 0, or the number of rows that are read together. Groups of a few windows follow each other in
            a random order then, and the rows of a group are mixed, so that each window is read once in an epoch.

    Returns:
        (n,) int32.
    """
    if not window:
        return tf.random.experimental.stateless_shuffle(tf.range(n), seed=key)
    random = tf.random.stateless_uniform([n], seed=key, dtype=tf.float64)
    size = window * _WINDOWS
    turns = tf.random.experimental.stateless_shuffle(tf.range(-(-n // size)), seed=key)
    return tf.argsort(tf.cast(tf.gather(turns, tf.range(n) // size), tf.float64) + random, stable=True)
