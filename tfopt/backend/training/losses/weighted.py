"""A loss where examples have weights, whatever its targets are: labels, pixels or numbers."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.types import Nested
from tfopt.errors import StageError


class WeightedLoss(tf_keras.losses.Loss):
    """The mean of weight times loss. Keras' own losses take weights (batch,) only where theirs are (batch,) as well.

    Args:
        loss: of each example, or of each of its positions.

    Raises:
        StageError: when it is called: it is one number for all examples.
    """

    def __init__(self, loss: tf_keras.losses.Loss) -> None:
        super().__init__(reduction=loss.reduction, name=loss.name)
        loss._allow_sum_over_batch_size = True  # as Keras sets it for the losses of `compile`: replicas need it
        self._loss = loss
        self._fn_kwargs = getattr(loss, "_fn_kwargs", {})
        self.ignore_class = getattr(loss, "ignore_class", None)

    def __call__(self, y_true: Nested, y_pred: Nested, sample_weight: Nested = None) -> tf.Tensor:
        """The mean over all examples; weights (batch,), (batch, 1), or of the first axes of the targets."""
        if sample_weight is None:
            return self._loss(y_true, y_pred)
        rank = len(self.call(y_true, y_pred).shape)
        if not rank:
            raise StageError(
                f"the loss {self._loss.name} returns one number for all examples, which have different weights.",
                "Return a loss for each example, or leave the sample weights out.",
                code="incompatible_loss",
            )
        weights = tf.convert_to_tensor(sample_weight)
        while len(weights.shape) > rank and weights.shape[-1] == 1:
            weights = weights[..., 0]
        while len(weights.shape) < rank:
            weights = weights[..., tf.newaxis]
        return self._loss(y_true, y_pred, weights)

    def call(self, y_true: Nested, y_pred: Nested) -> tf.Tensor:
        """The losses, without weights."""
        return self._loss.call(y_true, y_pred)
