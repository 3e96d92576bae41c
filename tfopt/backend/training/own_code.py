"""Tries losses, metrics and augmentation of the user's own, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.batches import training_batches
from tfopt.backend.data.splits import Data
from tfopt.backend.graph.outputs import named
from tfopt.backend.training.measure import measure
from tfopt.core.config.data import Augment
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

_EXAMPLES = 4


def try_out(model: tf_keras.Model, data: Data, compile: Compile) -> None:
    """Computes the loss and all metrics of a few examples.

    Args:
        model: untrained.
        data: its first training examples are used.
        compile: with code of the user's own.

    Raises:
        StageError: the code fails, or the loss is not a number for each example, or one for all.
    """
    inputs = data.train.inputs
    few = (
        {name: values[:_EXAMPLES] for name, values in inputs.items()}
        if isinstance(inputs, Mapping)
        else inputs[:_EXAMPLES]
    )
    outputs = named(model(few, training=False), compile.all_outputs)
    given = data.train.targets
    targets = (
        {name: values[:_EXAMPLES] for name, values in given.items()} if isinstance(given, dict) else given[:_EXAMPLES]
    )
    weights = data.train.weights
    if weights is not None:  # as of examples that all count: those of the first ones may be 0
        weights = tf.nest.map_structure(lambda array: np.ones_like(array[:_EXAMPLES]), weights)
    try:
        measure(outputs, targets, compile, weights)
    except TypeError as error:
        raise StageError(
            f"{', '.join(of.single_loss.name for of in compile.of_each().values())}: {error}",
            "A loss returns a number for each example.",
            code="unusable_code",
        ) from error


def try_changes(data: Data, augment: Augment) -> None:
    """Makes the batches of changed training examples; a function of the user's own is run with the first example.

    Args:
        data: the splits.
        augment: how the recipe changes training examples.

    Raises:
        StageError: the examples cannot be changed like this, or a function of the user's own fails.
    """
    training_batches(data, 2, 1, 0, augment=augment)
