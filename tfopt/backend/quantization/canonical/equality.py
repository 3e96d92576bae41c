"""Proof that a rewritten model answers as the original does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence.random_inputs import accepted_inputs
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.quantization.canonical.replay import Tensors, nodes
from tfopt.errors import StageError

_BATCH = 2
_UNKNOWN_SIZE = {2: 16, 3: 16, 4: 64, 5: 16}
"""Size that an open axis gets, by the number of axes of the input: large enough for the strides of image models."""
_TOLERANCE, _HALF_TOLERANCE = 1e-4, 5e-2
"""Largest difference, relative to the largest answer. Measured on `keras.applications`: up to 3e-8."""


def largest_difference(one: Any, other: Any) -> float:
    """Largest absolute difference of two arrays, relative to the largest value of the first where that is above 1.

    What is not a number in both is equal.
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if one.size == 0 or np.array_equal(one, other, equal_nan=True):
        return 0.0
    finite = one[np.isfinite(one)]
    scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
    with np.errstate(invalid="ignore"):
        difference = np.where(np.isnan(one) & np.isnan(other) | (one == other), 0.0, np.abs(one - other))
    return float("inf") if np.isnan(difference).any() else float(difference.max()) / scale


def random_inputs(model: tf_keras.Model, seed: int = 0) -> list[np.ndarray]:
    """Inputs that any model of these inputs must take: indices stay within its embedding tables."""
    tables = [layer.input_dim for layer in all_layers(model) if isinstance(layer, tf_keras.layers.Embedding)]
    most = min(tables, default=2)

    def make(factor: int) -> list[np.ndarray]:
        return [_random(tensor, most, factor, np.random.default_rng(seed)) for tensor in model.inputs]

    return accepted_inputs(model.name, make, lambda inputs: _call(model, inputs))


def check_equal(
    before: tf_keras.Model, after: tf_keras.Model, steps: list[tuple[tf_keras.Model, tf_keras.Model, Tensors]]
) -> None:
    """Compares the answers of two models on random inputs.

    Args:
        before: the original.
        after: what was made of it.
        steps: how: model before and after each step, and the new tensors by the identity of the old ones.

    Raises:
        StageError: the answers differ; names the first layer that does.
    """
    inputs = random_inputs(before)
    half = any(layer.compute_dtype in ("float16", "bfloat16") for layer in all_layers(before))
    tolerance = _HALF_TOLERANCE if half else _TOLERANCE
    difference = _difference(before, after, inputs)
    if difference <= tolerance or _difference(before, before, inputs) > tolerance:  # the latter: it answers at random
        return
    where = next(filter(None, (_first_difference(*step, inputs, tolerance) for step in steps)), None)
    place = f"layer {where!r} is the first that differs" if where else "no single layer does, their sum differs"
    raise StageError(
        f"The model {before.name!r} answers differently once it is rewritten for quantization, by {difference:.3g} of "
        f"its largest answer on random inputs: {place}. Expected {tolerance:g} at most.",
        "This is a fault in tfopt: please report the model. A qat rule does not help; leave the qat stage out.",
        code="not_equivalent",
    )


def _first_difference(
    before: tf_keras.Model, after: tf_keras.Model, tensors: Tensors, inputs: list[np.ndarray], tolerance: float
) -> str | None:
    for node in nodes(before):
        for old in tf.nest.flatten(node.outputs):
            new = tensors[id(old)]
            probes = (tf_keras.Model(before.inputs, old), tf_keras.Model(after.inputs, new))
            if _difference(*probes, inputs) > tolerance:
                return node.layer.name
    return None


def _difference(one: tf_keras.Model, other: tf_keras.Model, inputs: list[np.ndarray]) -> float:
    answers = [tf.nest.flatten(_call(model, inputs)) for model in (one, other)]
    return max(largest_difference(a, b) for a, b in zip(*answers, strict=True))


def _call(model: tf_keras.Model, inputs: list[np.ndarray]) -> Any:
    tensors = [tf.constant(values, tensor.dtype) for values, tensor in zip(inputs, model.inputs, strict=True)]
    return model(tf.nest.pack_sequence_as(_structure(model), tensors), training=False)


def _structure(model: tf_keras.Model) -> Any:
    nested: Mapping[str, Any] | Any = model._nested_inputs
    return nested


def _random(tensor: Any, most: int, factor: int, rng: np.random.Generator) -> np.ndarray:
    rank = tensor.shape.rank
    batch, *rest = tensor.shape
    shape = [batch or _BATCH, *(size or _UNKNOWN_SIZE.get(rank, 8) * factor for size in rest)]
    if tensor.dtype == tf.string:
        return np.full(shape, "a b c")
    if tensor.dtype.is_floating:
        return rng.uniform(-1, 1, shape)
    return rng.integers(0, most, shape)
