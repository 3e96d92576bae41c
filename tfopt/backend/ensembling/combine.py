"""How the outputs of an ensemble's members become one: layers that train, are stored, and convert to TFLite.

Averages are made of Keras' own layers, so that an exported `.keras` file opens anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.types import LayerArguments
from tfopt.core.config.ensembling import Combine
from tfopt.core.config.training.outputs import Outputs

if TYPE_CHECKING:
    from typing import Unpack

_NEGLIGIBLE = 1e-6
"""Sums of weights that differ by less count as equal votes."""
_SMALLEST = 1e-7
"""Probabilities below count as this before a logarithm."""


@tf_keras.saving.register_keras_serializable("tfopt")
class Vote(tf_keras.layers.Layer):
    """Every member votes for its likeliest class; of classes with the same votes, the likelier one on average wins.

    The output is a distribution: shares of votes, and a small part of the average probability, too small to decide
    between classes with different votes. If that is equal too, the lowest class wins, as everywhere in TensorFlow.

    Args:
        weights: how much each member counts; they sum to 1.
    """

    def __init__(self, weights: Sequence[float], **arguments: Unpack[LayerArguments]) -> None:
        super().__init__(**arguments)
        self.member_weights = [float(weight) for weight in weights]
        self.tie_break = smallest_gap(self.member_weights) / 2

    def call(self, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        (first, *others) = zip(self.member_weights, outputs, strict=True)
        total = self._part(*first)
        for weight, output in others:
            # One ADD after the other: ADD_N stays in float in an int8 file (measured).
            total = total + self._part(weight, output)
        return total

    def _part(self, weight: float, output: tf.Tensor) -> tf.Tensor:
        classes = output.shape[-1]
        vote = tf.one_hot(tf.argmax(output, axis=-1, output_type=tf.int32), classes, dtype=output.dtype)
        part: tf.Tensor = (vote + output * self.tie_break) * (weight / (1 + self.tie_break))
        return part

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "weights": self.member_weights}


@tf_keras.saving.register_keras_serializable("tfopt")
class ToLogits(tf_keras.layers.Layer):
    """Probabilities as logits, for a recipe whose loss expects them.

    Args:
        squash: `softmax` or `sigmoid`: what would make probabilities of them again.
    """

    def __init__(self, squash: str, **arguments: Unpack[LayerArguments]) -> None:
        super().__init__(**arguments)
        self.squash = squash

    def call(self, probabilities: tf.Tensor) -> tf.Tensor:
        logarithm = tf.math.log(tf.maximum(probabilities, _SMALLEST))
        if self.squash == "softmax":
            return logarithm
        return logarithm - tf.math.log(tf.maximum(1 - probabilities, _SMALLEST))

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "squash": self.squash}


def combined(
    outputs: Sequence[tf.Tensor], weights: Sequence[float], combine: Combine, meaning: Outputs, name: str
) -> tf.Tensor:
    """One Keras tensor of several: what the last layers of an ensemble compute.

    Args:
        outputs: one per member, as the recipe's outputs; for `logits` always logits.
        weights: one per member; they sum to 1.
        combine: what is combined.
        meaning: what the recipe's outputs mean; the result is given alike.
        name: of the last layer.
    """
    if combine == "logits":
        if meaning.are_logits or meaning.squash is None:
            return _average(outputs, weights, name)
        return tf_keras.layers.Activation(meaning.squash, name=name)(_average(outputs, weights, f"{name}_logits"))
    if not meaning.are_logits or meaning.squash is None:
        return _vote_or_average(outputs, weights, combine, name)
    probabilities = [
        tf_keras.layers.Activation(meaning.squash, name=f"{name}_probabilities{number}")(output)
        for number, output in enumerate(outputs, start=1)
    ]
    return ToLogits(meaning.squash, name=name)(_vote_or_average(probabilities, weights, combine, f"{name}_{combine}"))


def combined_values(outputs: np.ndarray, weights: Sequence[float], combine: Combine, meaning: Outputs) -> np.ndarray:
    """The same in NumPy.

    Args:
        outputs: (members, examples, ...), as the recipe's outputs.
        weights: one per member.
        combine: what is combined.
        meaning: what the recipe's outputs mean; the result is given alike.
    """
    shares = np.asarray(weights, np.float64)
    if combine == "logits":
        mixed = np.tensordot(shares, outputs if meaning.are_logits else logits_of(outputs, meaning), 1)
        return mixed if meaning.are_logits else probabilities_of(mixed, meaning)
    outputs = probabilities_of(outputs, meaning) if meaning.are_logits else outputs
    mixed = np.tensordot(shares, outputs, 1)
    if combine == "vote":
        tie_break = smallest_gap(weights) / 2
        votes = np.eye(outputs.shape[-1])[outputs.argmax(axis=-1)]
        mixed = (np.tensordot(shares, votes, 1) + tie_break * mixed) / (1 + tie_break)
    return logits_of(mixed, meaning) if meaning.are_logits else mixed


def probabilities_of(logits: np.ndarray, meaning: Outputs) -> np.ndarray:
    """Logits squashed."""
    if meaning.squash == "sigmoid":
        return 1 / (1 + np.exp(-logits))
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def logits_of(probabilities: np.ndarray, meaning: Outputs) -> np.ndarray:
    """The way back; what is too small to have a logarithm counts as 1e-7."""
    logarithm = np.log(np.maximum(probabilities, _SMALLEST))
    if meaning.squash == "softmax":
        return logarithm
    return logarithm - np.log(np.maximum(1 - probabilities, _SMALLEST))


def smallest_gap(weights: Sequence[float]) -> float:
    """The smallest difference between two sums of weights that are not equal: how close a vote can be."""
    sums = np.zeros(1)
    for weight in weights:
        # Members that count the same make equal sums: kept once, there are few of them however many members.
        sums = np.unique(np.round(np.concatenate([sums, sums + weight]), 9))
    gaps = [later - earlier for earlier, later in pairwise(sums) if later - earlier > _NEGLIGIBLE]
    return float(min(gaps))


def _vote_or_average(outputs: Sequence[tf.Tensor], weights: Sequence[float], combine: Combine, name: str) -> tf.Tensor:
    return Vote(weights, name=name)(outputs) if combine == "vote" else _average(outputs, weights, name)


def _average(outputs: Sequence[tf.Tensor], weights: Sequence[float], name: str) -> tf.Tensor:
    if len(set(weights)) == 1:
        return tf_keras.layers.Average(name=name)(outputs)
    scaled = [
        tf_keras.layers.Rescaling(float(weight), name=f"{name}_weight{number}")(output)
        for number, (weight, output) in enumerate(zip(weights, outputs, strict=True), start=1)
    ]
    return tf_keras.layers.Add(name=name)(scaled)
