"""A number that changes over the steps of a stage, inside the graph."""

from __future__ import annotations

import math

import tensorflow as tf

from tfopt.core.config.ramps import ResolvedChange


def value_at(change: ResolvedChange, step: tf.Tensor) -> tf.Tensor:
    """The number after `step` optimizer steps: `ResolvedChange.at` for a step that is not known yet."""
    if change.initial == change.final:
        return tf.constant(change.initial, tf.float32)
    progress = (tf.cast(step, tf.float32) - change.begin) / (change.end - change.begin)
    progress = tf.clip_by_value(progress, 0.0, 1.0)
    if change.kind == "cosine":
        progress = (1 - tf.cos(math.pi * progress)) / 2
    return change.initial + (change.final - change.initial) * progress
