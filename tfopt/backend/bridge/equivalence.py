"""Whether a Keras 3 model and the tf_keras model made of it have the same outputs; the first layer that differs.

The comparison itself is `tfopt.backend.equivalence`; here are the tolerance of a conversion and the two graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence import Difference, Tolerance, first_difference, outputs, random_inputs, same_outputs
from tfopt.backend.types import Array, Nested
from tfopt.catalog.guard import guarded

TOLERANCE = Tolerance(1e-4, absolute=1e-7, by_dtype=(("float16", 2e-2), ("bfloat16", 1e-1)))
"""Of the largest value of an output: float noise of the deepest nets is a tenth of it, a wrong epsilon ten times."""


@dataclass(frozen=True)
class Step:
    """The tensors after one call, in both graphs.

    Args:
        model: the Keras 3 model that the call belongs to.
        name: of the layer or operation.
        source: Keras tensors.
        converted: tf_keras tensors, in the same order.
    """

    model: keras.Model
    name: str
    source: Sequence[keras.KerasTensor]
    converted: Sequence[tf.Tensor]


def describe_difference(source: keras.Model, converted: tf_keras.Model, steps: Sequence[Step]) -> str | None:
    """Compares the outputs of a Keras 3 model and the tf_keras model made of it on random inputs.

    Args:
        source: Functional or Sequential.
        converted: with the same weights.
        steps: the calls of both, in order, to find the first that differs.

    Returns:
        The first layer that differs, and by how much; None if the outputs are equal but for float noise.

    Raises:
        StageError: one of the models cannot be run.
    """
    inputs = random_inputs(source)
    if output_difference(source, converted, inputs) is None:
        return None
    own = [step for step in steps if step.model is source]
    differing = first_difference(
        [step.name for step in own], *_values(source, converted, own, inputs), tolerance=TOLERANCE
    )
    if differing is None:
        return "no single layer differs, so the outputs are connected otherwise"
    return f"the first layer that differs is {differing[0]!r}, by {differing[1].described}"


def output_difference(
    expected: keras.Model | tf_keras.Model, found: keras.Model | tf_keras.Model, inputs: Sequence[Array]
) -> Difference | None:
    """Compares the outputs of two models, each of either library, within the tolerance of a conversion.

    Raises:
        StageError: one of the models cannot be run.
    """
    left = guarded(lambda: outputs(expected, inputs), f"Running {expected.name!r} on random inputs")
    right = guarded(lambda: outputs(found, inputs), f"Running what was made of {expected.name!r}")
    return same_outputs(left, right, TOLERANCE)


def _values(
    source: keras.Model, converted: tf_keras.Model, steps: Sequence[Step], inputs: list[Array]
) -> tuple[list[list[Array]], list[list[Array]]]:
    graph = source._functional if isinstance(source, keras.Sequential) else source
    expected = keras.Function(graph.inputs, [list(step.source) for step in steps])(inputs)
    found = tf_keras.Model(converted.inputs, [list(step.converted) for step in steps])(inputs, training=False)
    return [_flat(values) for values in expected], [_flat(values) for values in found]


def _flat(values: Nested) -> list[Array]:
    return [np.asarray(value) for value in keras.tree.flatten(values)]
