"""F1 for labels of any form: tf_keras' own `F1Score` takes one-hot targets only."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.training.metrics.class_counts import ClassCounts


class F1(ClassCounts):
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
        super().__init__(classes, one_per_label, threshold, name)
        if average not in ("macro", "micro", "weighted"):
            raise ValueError(f"average must be macro, micro or weighted. Got {average!r}.")
        self._average = average

    def result(self) -> tf.Tensor:
        """The score; 0 before the first batch."""
        hits, both = self._hits, self._targets + self._predictions
        if self._average == "micro":
            return tf.math.divide_no_nan(2 * tf.reduce_sum(hits), tf.reduce_sum(both))
        each = tf.math.divide_no_nan(2 * hits, both)
        weights = tf.cast(both > 0, tf.float64) if self._average == "macro" else tf.convert_to_tensor(self._targets)
        return tf.math.divide_no_nan(tf.reduce_sum(each * weights), tf.reduce_sum(weights))
