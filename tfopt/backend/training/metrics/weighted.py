"""Metrics where examples have weights: each that counts at all counts once, however large its weight."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


class OfWeighted(tf_keras.metrics.Metric):
    """A metric of the examples, or positions, whose weight is not 0.

    Args:
        metric: what is measured.
    """

    def __init__(self, metric: tf_keras.metrics.Metric) -> None:
        super().__init__(name=metric.name)
        self._metric = metric

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Operation | None:
        """Adds a batch: targets and outputs (batch, ...), weights (batch,), (batch, 1) or of the first axes of both."""
        if sample_weight is None:
            return self._metric.update_state(y_true, y_pred)
        targets, outputs, weights = map(tf.convert_to_tensor, (y_true, y_pred, sample_weight))
        if len(weights.shape) > 1 and weights.shape[-1] == 1:  # Keras gives weights as many axes as outputs
            weights = weights[..., 0]
        counts = weights > 0
        return self._metric.update_state(tf.boolean_mask(targets, counts), tf.boolean_mask(outputs, counts))

    def result(self) -> tf.Tensor:
        """The metric."""
        return self._metric.result()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._metric.reset_state()
