"""How the answers of an ensemble's members become one: layers that train, are stored, and convert to TFLite.

Averages are made of Keras' own layers, so that an exported `.keras` file opens anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.core.config.ensembling import Combine, Outputs

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

    def __init__(self, weights: Sequence[float], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.member_weights = [float(weight) for weight in weights]
        self.tie_break = smallest_gap(self.member_weights) / 2

    def call(self, answers: Sequence[tf.Tensor]) -> tf.Tensor:
        classes = answers[0].shape[-1]
        total = None
        for weight, answer in zip(self.member_weights, answers, strict=True):
            vote = tf.one_hot(tf.argmax(answer, axis=-1, output_type=tf.int32), classes, dtype=answer.dtype)
            part = (vote + answer * self.tie_break) * (weight / (1 + self.tie_break))
            # One ADD after the other: ADD_N stays in float in an int8 file (measured).
            total = part if total is None else total + part
        return total

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.member_weights}


@tf_keras.saving.register_keras_serializable("tfopt")
class ToLogits(tf_keras.layers.Layer):
    """Probabilities as logits, for a recipe whose loss expects them.

    Args:
        squash: `softmax` or `sigmoid`: what would make probabilities of them again.
    """

    def __init__(self, squash: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.squash = squash

    def call(self, probabilities: tf.Tensor) -> tf.Tensor:
        logarithm = tf.math.log(tf.maximum(probabilities, _SMALLEST))
        if self.squash == "softmax":
            return logarithm
        return logarithm - tf.math.log(tf.maximum(1 - probabilities, _SMALLEST))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "squash": self.squash}


def combined(answers: Sequence[Any], weights: Sequence[float], combine: Combine, outputs: Outputs, name: str) -> Any:
    """One Keras tensor of several: what the last layers of an ensemble compute.

    Args:
        answers: one per member, as the recipe's outputs; for `logits` always logits.
        weights: one per member; they sum to 1.
        combine: what is combined.
        outputs: what the recipe's outputs mean; the result is given alike.
        name: of the last layer.
    """
    if combine == "logits":
        if outputs.are_logits:
            return _average(answers, weights, name)
        return tf_keras.layers.Activation(outputs.squash, name=name)(_average(answers, weights, f"{name}_logits"))
    if not outputs.are_logits:
        return _vote_or_average(answers, weights, combine, name)
    probabilities = [
        tf_keras.layers.Activation(outputs.squash, name=f"{name}_probabilities{number}")(answer)
        for number, answer in enumerate(answers, start=1)
    ]
    return ToLogits(outputs.squash, name=name)(_vote_or_average(probabilities, weights, combine, f"{name}_{combine}"))


def combined_values(answers: np.ndarray, weights: Sequence[float], combine: Combine, outputs: Outputs) -> np.ndarray:
    """The same in NumPy.

    Args:
        answers: (members, examples, ...), as the recipe's outputs.
        weights: one per member.
        combine: what is combined.
        outputs: what the recipe's outputs mean; the result is given alike.
    """
    shares = np.asarray(weights, np.float64)
    if combine == "logits":
        mixed = np.tensordot(shares, answers if outputs.are_logits else logits_of(answers, outputs), 1)
        return mixed if outputs.are_logits else probabilities_of(mixed, outputs)
    answers = probabilities_of(answers, outputs) if outputs.are_logits else answers
    mixed = np.tensordot(shares, answers, 1)
    if combine == "vote":
        tie_break = smallest_gap(weights) / 2
        votes = np.eye(answers.shape[-1])[answers.argmax(axis=-1)]
        mixed = (np.tensordot(shares, votes, 1) + tie_break * mixed) / (1 + tie_break)
    return logits_of(mixed, outputs) if outputs.are_logits else mixed


def probabilities_of(logits: np.ndarray, outputs: Outputs) -> np.ndarray:
    """Logits squashed."""
    if outputs.squash == "sigmoid":
        return 1 / (1 + np.exp(-logits))
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def logits_of(probabilities: np.ndarray, outputs: Outputs) -> np.ndarray:
    """The way back; what is too small to have a logarithm counts as 1e-7."""
    logarithm = np.log(np.maximum(probabilities, _SMALLEST))
    if outputs.squash == "softmax":
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


def _vote_or_average(answers: Sequence[Any], weights: Sequence[float], combine: Combine, name: str) -> Any:
    return Vote(weights, name=name)(answers) if combine == "vote" else _average(answers, weights, name)


def _average(answers: Sequence[Any], weights: Sequence[float], name: str) -> Any:
    if len(set(weights)) == 1:
        return tf_keras.layers.Average(name=name)(answers)
    scaled = [
        tf_keras.layers.Rescaling(float(weight), name=f"{name}_weight{number}")(answer)
        for number, (weight, answer) in enumerate(zip(weights, answers, strict=True), start=1)
    ]
    return tf_keras.layers.Add(name=name)(scaled)
