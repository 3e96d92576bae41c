"""Targets that do not count: those that the loss ignores (`ignore_class`), such as padding behind a text."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.types import Array, ExampleArrays, Nested
from tfopt.core.config.training.compile import Compile


def ignored_class(compile: Compile) -> int | None:
    """The target that does not count; None where all do."""
    value = compile.single_loss.arguments().get("ignore_class")
    return None if value is None else int(str(value))


def counted_outputs(outputs: Array, targets: ExampleArrays | None, compile: Compile) -> Array:
    """The outputs whose targets count, (targets, classes); all of them, in their shape, where all count.

    Args:
        outputs: (examples, ..., classes).
        targets: (examples, ...); None where they are not known.
        compile: whose loss may ignore a class.
    """
    ignored = ignored_class(compile)
    if ignored is None or targets is None or isinstance(targets, dict):
        return outputs
    if targets.shape != outputs.shape[: targets.ndim]:
        return outputs
    return outputs[in_memory(targets, "The targets") != ignored]


def num_counted(targets: Array, compile: Compile) -> int:
    """How many targets count."""
    ignored = ignored_class(compile)
    return targets.size if ignored is None else int(np.count_nonzero(targets != ignored))


def positions_counted(targets: Nested, outputs: Nested, loss: object) -> tf.Tensor:
    """Over how many positions of a batch the mean of a loss goes.

    Args:
        targets: (batch, ...).
        outputs: (batch, ..., classes), possibly with a Keras mask.
        loss: of Keras, possibly with `ignore_class`.

    Returns:
        The number of examples, where all positions of all count.
    """
    outputs = tf.nest.flatten(outputs)
    mask = getattr(outputs[0], "_keras_mask", None) if len(outputs) == 1 else None
    of_keras = getattr(loss, "_fn_kwargs", {})
    ignored = of_keras.get("ignore_class", getattr(loss, "ignore_class", None))
    if ignored is not None:
        counts = tf.not_equal(targets, tf.cast(ignored, targets.dtype))
        mask = counts if mask is None else tf.logical_and(mask, tf.reshape(counts, tf.shape(mask)))
    return tf.shape(outputs[0])[0] if mask is None else tf.math.count_nonzero(mask)


class OfCounted(tf_keras.metrics.Metric):
    """A metric of the targets that count.

    Args:
        metric: what is measured.
        ignored: the target that does not count.
    """

    def __init__(self, metric: tf_keras.metrics.Metric, ignored: int) -> None:
        super().__init__(name=metric.name)
        self._metric = metric
        self._ignored = ignored

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Operation | None:
        """Adds a batch: targets (batch, ...), outputs (batch, ..., classes); weights do not count."""
        targets, outputs = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        targets = tf.reshape(targets, tf.shape(outputs)[:-1])
        counts = tf.not_equal(targets, tf.cast(self._ignored, targets.dtype))
        targets, outputs = tf.boolean_mask(targets, counts), tf.boolean_mask(outputs, counts)
        return self._metric.update_state(targets, outputs)

    def result(self) -> tf.Tensor:
        """The metric."""
        return self._metric.result()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._metric.reset_state()
