"""How well a model predicts the next token."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras

_TINY = 1e-30


class Perplexity(tf_keras.metrics.Metric):
    """Exponential of the mean negative log-likelihood of a target: among how many tokens the model is undecided.

    Args:
        from_logits: whether outputs are logits, not probabilities.
        name: in reports.
    """

    def __init__(self, from_logits: bool, name: str = "perplexity") -> None:
        super().__init__(name=name)
        self._from_logits = from_logits
        self._sum = self.add_weight("sum", initializer="zeros", dtype=tf.float64)
        self._count = self.add_weight("count", initializer="zeros", dtype=tf.float64)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Operation | None:
        """Adds a batch: labels (batch, ...), outputs (batch, ..., classes); weights do not count."""
        outputs = tf.cast(tf.convert_to_tensor(y_pred), tf.float32)
        labels = tf.reshape(tf.cast(y_true, tf.int32), tf.shape(outputs)[:-1])
        logs = (
            tf.nn.log_softmax(outputs)
            if self._from_logits
            else tf.math.log(tf.maximum(outputs / tf.reduce_sum(outputs, axis=-1, keepdims=True), _TINY))
        )
        found = tf.gather(logs, labels, axis=-1, batch_dims=len(outputs.shape) - 1)
        self._sum.assign_sub(tf.cast(tf.reduce_sum(found), tf.float64))
        return self._count.assign_add(tf.cast(tf.size(labels), tf.float64))

    def result(self) -> tf.Tensor:
        """The perplexity."""
        return tf.exp(self._nats())

    def _nats(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self._sum, self._count)


class BitsPerCharacter(Perplexity):
    """Bits that a character takes if the text is encoded with the model's probabilities: comparable between tokenizers.

    Args:
        from_logits: whether outputs are logits, not probabilities.
        tokens_per_character: of the text that is measured; 1 for characters as tokens.
        name: in reports.
    """

    def __init__(self, from_logits: bool, tokens_per_character: float, name: str = "bits_per_character") -> None:
        super().__init__(from_logits, name)
        self._bits = tokens_per_character / math.log(2)

    def result(self) -> tf.Tensor:
        """Bits per character."""
        return self._nats() * self._bits
