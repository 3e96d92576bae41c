"""Losses of object detectors: one target for each anchor, most of which have no object."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


class BoxHuber(tf_keras.losses.Loss):
    """Huber loss of the offsets of the anchors that are to find an object, averaged over them; the others have targets
    of 0 and do not count (SSD, Liu et al. 2016, arXiv:1512.02325).

    Args:
        delta: difference from which the loss is linear.
    """

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__(name="box_huber")
        if delta <= 0:
            raise ValueError(f"delta must be above 0. Got {delta!r}.")
        self._delta = delta

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (batch,) of targets and outputs (batch, anchors, 4)."""
        targets = tf.cast(y_true, y_pred.dtype)
        counts = tf.cast(tf.reduce_any(targets != 0, axis=-1), y_pred.dtype)
        error = tf.abs(targets - y_pred)
        near = tf.minimum(error, self._delta)
        each = tf.reduce_sum(near * (error - near / 2), axis=-1)
        return tf.math.divide_no_nan(tf.reduce_sum(each * counts, axis=-1), tf.reduce_sum(counts, axis=-1))


class HardNegativeCrossentropy(tf_keras.losses.Loss):
    """Cross-entropy of the anchors that are to find an object, and of those among the others that are most wrong
    (SSD, Liu et al. 2016, arXiv:1512.02325); the sum over an image, over its number of anchors with an object.

    Args:
        negatives: how many of the others count for each anchor with an object; as many as for one where an image has
            none.
        from_logits: whether outputs are logits, not probabilities.
    """

    def __init__(self, negatives: float = 3.0, from_logits: bool = False) -> None:
        super().__init__(name="hard_negative_crossentropy")
        if negatives <= 0:
            raise ValueError(f"negatives must be above 0. Got {negatives!r}.")
        self._negatives, self._from_logits = negatives, from_logits

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (batch,) of targets (batch, anchors), 0 for nothing, and outputs (batch, anchors, 1 + classes)."""
        targets = tf.reshape(tf.cast(y_true, tf.int32), tf.shape(y_pred)[:-1])
        entropy = tf_keras.losses.sparse_categorical_crossentropy(targets, y_pred, from_logits=self._from_logits)
        positive = tf.cast(targets > 0, entropy.dtype)
        objects = tf.maximum(tf.reduce_sum(positive, axis=-1, keepdims=True), 1)
        wrong = tf.stop_gradient(entropy * (1 - positive) - positive)
        order = tf.argsort(tf.argsort(wrong, axis=-1, direction="DESCENDING", stable=True), axis=-1)
        hard = tf.cast(tf.cast(order, entropy.dtype) < self._negatives * objects, entropy.dtype) * (1 - positive)
        return tf.reduce_sum(entropy * (positive + hard), axis=-1) / objects[..., 0]
