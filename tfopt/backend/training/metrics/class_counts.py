"""Hits, targets and predictions of each class: what F1, IoU and Dice are computed from."""

from __future__ import annotations

from abc import abstractmethod

import tensorflow as tf
import tf_keras


class ClassCounts(tf_keras.metrics.Metric):
    """Counts over all batches, so that a result does not depend on how examples are cut into batches.

    Args:
        classes: number of outputs.
        one_per_label: whether each output is a yes or no of its own; then its class is yes.
        threshold: above it, such an output means yes.
        name: in reports.
    """

    def __init__(self, classes: int, one_per_label: bool, threshold: float, name: str) -> None:
        super().__init__(name=name)
        self._classes = classes
        self._threshold = threshold if one_per_label else None
        self._hits, self._targets, self._predictions = (
            self.add_weight(what, shape=(classes,), initializer="zeros", dtype=tf.float64)
            for what in ("hits", "targets", "predictions")
        )

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Operation | None:
        """Adds a batch: labels or one-hot targets, outputs (batch, ..., classes); weights do not count."""
        targets, outputs = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        if self._threshold is not None:
            truth = tf.cast(tf.reshape(targets, tf.shape(outputs)) > 0, tf.float64)
            found = tf.cast(outputs > tf.cast(self._threshold, outputs.dtype), tf.float64)
        else:
            if len(targets.shape) == len(outputs.shape) and targets.shape[-1] == self._classes:
                targets = tf.argmax(targets, axis=-1)
            truth = tf.one_hot(tf.cast(tf.reshape(targets, [-1]), tf.int32), self._classes, dtype=tf.float64)
            found = tf.one_hot(tf.reshape(tf.argmax(outputs, axis=-1), [-1]), self._classes, dtype=tf.float64)
        truth, found = (tf.reshape(each, [-1, self._classes]) for each in (truth, found))
        self._hits.assign_add(tf.reduce_sum(truth * found, axis=0))
        self._targets.assign_add(tf.reduce_sum(truth, axis=0))
        return self._predictions.assign_add(tf.reduce_sum(found, axis=0))

    @abstractmethod
    def result(self) -> tf.Tensor:
        """The metric, of the counts so far."""

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in (self._hits, self._targets, self._predictions):
            variable.assign(tf.zeros_like(variable))
