"""F1 for labels of any form: tf_keras' own `F1Score` takes one-hot targets only."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


class F1(tf_keras.metrics.Metric):
    """Harmonic mean of precision and recall.

    Of classes, the average over those that occur among targets or predictions, as scikit-learn's `f1_score`; of one yes
    or no, that of yes.

    Args:
        classes: number of outputs.
        one_per_label: whether each output is a yes or no of its own.
        threshold: above it, such an output means yes.
        average: `macro`: all classes count the same; `micro`: all predictions do; `weighted`: classes count by their
            number of targets.
        name: in reports.
    """

    def __init__(
        self, classes: int, one_per_label: bool, threshold: float, average: str = "macro", name: str = "f1"
    ) -> None:
        super().__init__(name=name)
        if average not in ("macro", "micro", "weighted"):
            raise ValueError(f"average must be macro, micro or weighted. Got {average!r}.")
        self._classes, self._average = classes, average
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

    def result(self) -> tf.Tensor:
        """The score; 0 before the first batch."""
        hits, both = self._hits, self._targets + self._predictions
        if self._average == "micro":
            return tf.math.divide_no_nan(2 * tf.reduce_sum(hits), tf.reduce_sum(both))
        each = tf.math.divide_no_nan(2 * hits, both)
        weights = tf.cast(both > 0, tf.float64) if self._average == "macro" else tf.convert_to_tensor(self._targets)
        return tf.math.divide_no_nan(tf.reduce_sum(each * weights), tf.reduce_sum(weights))

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in (self._hits, self._targets, self._predictions):
            variable.assign(tf.zeros_like(variable))
