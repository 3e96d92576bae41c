"""Outputs of teacher and student, brought into one form: logarithms of probabilities, or quantities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.outputs import last_layer
from tfopt.core.config.training.outputs import Task

Form = Literal["logits", "probabilities"]
"""Whether a model returns probabilities, or logits: what softmax or sigmoid is applied to."""

_TINY = 1e-30
"""Least probability: far below Keras' own 1e-7, which would cut off what a sure teacher thinks of the other classes."""

_LEAST = 1e-7
"""Least probability of yes and of no; in float32, 1 - 1e-8 is 1."""


@dataclass(frozen=True)
class ModelOutputs:
    """What one model, or each of several, gave for a batch.

    Args:
        outputs: (batch, ...) of each model; of several outputs, all those of the first model, then those of the next.
        features: outputs of the layers that are compared, in the order of the pairs.
    """

    outputs: tuple[tf.Tensor, ...]
    features: tuple[tf.Tensor, ...] = ()

    def of(self, position: int, count: int) -> ModelOutputs:
        """One output of each model.

        Args:
            position: of the output among those that are compared.
            count: how many outputs of each model are compared.
        """
        return ModelOutputs(self.outputs[position::count], self.features)


def form_of(model: tf_keras.Model, default: Form, index: int) -> Form:
    """Whether an output of a model is probabilities, by the activation of its last layer.

    Args:
        model: possibly wrapped.
        default: what to take it for where the last layer does not say.
        index: position of the output.
    """
    layer = last_layer(model, index)
    layer = getattr(layer, "layer", layer)
    if isinstance(layer, tf_keras.layers.Softmax):
        return "probabilities"
    activation = getattr(layer, "activation", None)
    name = getattr(getattr(activation, "activation", activation), "__name__", None)
    if name in ("softmax", "sigmoid"):
        return "probabilities"
    return "logits" if name == "linear" else default


def form_of_values(outputs: np.ndarray, task: Task) -> Form:
    """Whether outputs are probabilities, by their values: the layer that a file's outputs come from is not known.

    Args:
        outputs: (examples, ..., classes).
        task: what they are.
    """
    within = outputs.min() >= 0 and outputs.max() <= 1
    # A file in 8 bits rounds each probability by up to 1/512.
    sums = task == "binary" or np.allclose(outputs.sum(axis=-1), 1, atol=0.01 + outputs.shape[-1] / 512)
    return "probabilities" if within and sums else "logits"


def logits(outputs: tf.Tensor, form: Form, task: Task) -> tf.Tensor:
    """Outputs as logits, in float32; those of a softmax are known up to a constant for each example."""
    outputs = tf.cast(outputs, tf.float32)
    if form == "logits" or task == "quantities":
        return outputs
    if task == "binary":
        outputs = tf.clip_by_value(outputs, _LEAST, 1 - _LEAST)
        return tf.math.log(outputs) - tf.math.log1p(-outputs)
    return tf.math.log(tf.maximum(outputs, _TINY))


def soft_log_probabilities(
    logits: Sequence[tf.Tensor], shares: Sequence[float], temperature: tf.Tensor, task: Task
) -> tf.Tensor:
    """Logarithms of the probabilities at a temperature, averaged over models.

    Args:
        logits: (batch, ..., classes) of each model.
        shares: how much each counts; they sum to 1.
        temperature: what the logits are divided by.
        task: `classes`, or `binary`, for which (batch, ..., outputs, 2) is returned: of no and of yes.
    """
    each = [_log_probabilities(one / temperature, task) for one in logits]
    if len(each) == 1:
        return each[0]
    weighted = tf.stack([one + tf.math.log(share) for one, share in zip(each, shares, strict=True)])
    return tf.reduce_logsumexp(weighted, axis=0)


def mean(values: Sequence[tf.Tensor], shares: Sequence[float]) -> tf.Tensor:
    """Average of the outputs of several models."""
    if len(values) == 1:
        return values[0]
    return tf.add_n([value * share for value, share in zip(values, shares, strict=True)])


def _log_probabilities(logits: tf.Tensor, task: Task) -> tf.Tensor:
    if task == "binary":
        return tf.stack([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)], axis=-1)
    return tf.nn.log_softmax(logits)
