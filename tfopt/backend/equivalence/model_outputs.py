"""Outputs of a model of either library on a list of inputs, and whether two models have the same."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence.differences import Difference, Tolerance, difference
from tfopt.backend.types import Array, Nested


def outputs(
    model: keras.Model | tf_keras.Model, inputs: Sequence[Array], like: keras.Model | tf_keras.Model | None = None
) -> list[Array]:
    """Runs a model in inference mode.

    Args:
        model: of Keras 3 or tf_keras.
        inputs: one array per input, in the order of `model.inputs`.
        like: a functional model with the same structure of inputs, where `model` is a subclassed one.

    Returns:
        Its outputs, flat.
    """
    result = model(_packed(like or model, inputs), training=False)
    return [np.asarray(values) for values in tf.nest.flatten(result)]


def same_outputs(expected: Sequence[Array], found: Sequence[Array], tolerance: Tolerance) -> Difference | None:
    """Compares the outputs of two models.

    Args:
        expected: of the original.
        found: of what was made of it.
        tolerance: for floats.

    Returns:
        The first output that differs; None where all are the same.
    """
    if len(expected) != len(found):
        return Difference(0, np.inf, 1.0, f"{len(expected)} and {len(found)} outputs")
    pairs = enumerate(zip(expected, found, strict=True))
    return next(filter(None, (difference(one, other, tolerance, index) for index, (one, other) in pairs)), None)


def same_on(
    expected: tf_keras.Model, found: tf_keras.Model, examples: Nested, tolerance: Tolerance
) -> Difference | None:
    """The first output of two models that differs on examples; None where all are the same.

    Args:
        expected: the original.
        found: what was made of it.
        examples: inputs as both models take them.
        tolerance: for floats.
    """
    one, other = (
        [np.asarray(values) for values in tf.nest.flatten(model(examples, training=False))]
        for model in (expected, found)
    )
    return same_outputs(one, other, tolerance)


def _packed(model: keras.Model | tf_keras.Model, inputs: Sequence[Array]) -> Nested:
    if isinstance(model, tf_keras.Model):
        tensors = [tf.constant(values, tensor.dtype) for values, tensor in zip(inputs, model.inputs, strict=True)]
        return tf.nest.pack_sequence_as(model._nested_inputs, tensors)
    if isinstance(model, keras.Sequential):
        # It has no structure of inputs: it accepts one.
        return inputs[0]
    return keras.tree.pack_sequence_as(model._inputs_struct, [keras.ops.convert_to_tensor(one) for one in inputs])
