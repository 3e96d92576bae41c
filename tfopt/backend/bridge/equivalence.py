"""Whether two models compute the same, tried on random inputs; if not, the first layer that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tf_keras

from tfopt.backend.equivalence.random_inputs import accepted_inputs
from tfopt.catalog.guard import guarded

_EXAMPLES = 2
_TIME, _SPACE = 12, 64
"""Extents that are tried where a shape leaves them open: of sequences, and of images."""
_TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1}
_FLOAT_TOLERANCE = 1e-4
"""Of the largest value of an output: float noise of the deepest nets is a tenth of it, a wrong epsilon ten times."""


@dataclass(frozen=True)
class Step:
    """The tensors after one call, in both graphs.

    Args:
        model: the Keras 3 model that the call belongs to.
        name: of the layer or operation.
        source: Keras tensors.
        twin: tf_keras tensors, in the same order.
    """

    model: keras.Model
    name: str
    source: Sequence[Any]
    twin: Sequence[Any]


def difference(source: keras.Model, twin: tf_keras.Model, steps: Sequence[Step]) -> str | None:
    """Compares the outputs of a Keras 3 model and its tf_keras twin on random inputs of the right shapes and types.

    Args:
        source: Functional or Sequential.
        twin: with the same weights.
        steps: the calls of both, in order, to find the first that differs.

    Returns:
        Which layer is the first that differs, and by how much; None if the outputs are equal but for float noise.

    Raises:
        StageError: one of the models cannot be run.
    """
    inputs = random_inputs(source)
    expected = guarded(
        lambda: _flat(source(_packed(source, inputs), training=False)), f"Running {source.name!r} on random inputs"
    )
    found = guarded(
        lambda: _flat(twin(_packed(source, inputs), training=False)), f"Running the twin of {source.name!r}"
    )
    if len(expected) == len(found) and all(map(equal, expected, found)):
        return None
    return _first_difference(source, twin, steps, inputs)


def equal(expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether two outputs are the same but for float noise."""
    if expected.shape != found.shape:
        return False
    if not _is_float(expected):
        return bool(np.array_equal(expected, found))
    tolerance = _TOLERANCE.get(expected.dtype.name, _FLOAT_TOLERANCE)
    left, right = expected.astype(np.float64), found.astype(np.float64)
    largest = np.max(np.abs(left), initial=0, where=np.isfinite(left))
    return bool(np.allclose(left, right, rtol=0, atol=tolerance * largest + 1e-7, equal_nan=True))


def random_inputs(model: keras.Model, seed: int = 0) -> list[np.ndarray]:
    """Random examples for each input of a model, in the order of `model.inputs`.

    Where a layer looks numbers up in a table, all inputs are whole numbers below the size of the smallest table;
    strings are words of its vocabularies and unknown ones.
    """
    parts = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    tables = [getattr(part, key) for part in parts for key in ("input_dim", "num_tokens") if hasattr(part, key)]
    limit = min([size for size in tables if isinstance(size, int)], default=None)
    words = sorted({str(word) for part in parts if hasattr(part, "get_vocabulary") for word in part.get_vocabulary()})

    def make(factor: int) -> list[np.ndarray]:
        random = np.random.default_rng(seed)
        return [_random(tensor, random, limit, [*words, "unseen"], factor) for tensor in model.inputs]

    return accepted_inputs(model.name, make, lambda inputs: model(_packed(model, inputs), training=False))


def _random(tensor: Any, random: np.random.Generator, limit: int | None, words: list[str], factor: int) -> np.ndarray:
    open_extent = factor * (_SPACE if len(tensor.shape) > 3 else _TIME)
    batch, *rest = tensor.shape
    shape = (batch or _EXAMPLES, *(extent or open_extent for extent in rest))
    if tensor.dtype == "string":
        return np.vectorize(lambda _: " ".join(random.choice(words, 4)), otypes=[object])(np.empty(shape))
    if tensor.dtype == "bool":
        return random.random(shape) < 0.5
    if "int" in tensor.dtype or limit is not None:
        # Zeros are masks.
        numbers = random.integers(0, limit or 10, shape) * (random.random(shape) < 0.75)
        return numbers.astype(tensor.dtype)
    return random.standard_normal(shape).astype(tensor.dtype)


def _first_difference(
    source: keras.Model, twin: tf_keras.Model, steps: Sequence[Step], inputs: list[np.ndarray]
) -> str:
    own = [step for step in steps if step.model is source]
    graph = source._functional if isinstance(source, keras.Sequential) else source
    expected = keras.Function(graph.inputs, [list(step.source) for step in own])(inputs)
    found = tf_keras.Model(twin.inputs, [list(step.twin) for step in own])(inputs, training=False)
    for step, left, right in zip(own, expected, found, strict=True):
        for one, other in zip(_flat(left), _flat(right), strict=True):
            if not equal(one, other):
                return f"the first layer that differs is {step.name!r}, by {_distance(one, other)}"
    return "no single layer differs, so the outputs are connected otherwise"


def _distance(left: np.ndarray, right: np.ndarray) -> str:
    if left.shape != right.shape:
        return f"shape: {left.shape} and {right.shape}"
    if not _is_float(left):
        return f"{int(np.sum(left != right))} of {left.size} values"
    return f"{np.max(np.abs(left.astype(np.float64) - right.astype(np.float64))):.2g}"


def _packed(model: keras.Model, inputs: list[np.ndarray]) -> Any:
    if isinstance(model, keras.Sequential):
        return inputs[0]
    return keras.tree.pack_sequence_as(model._inputs_struct, [keras.ops.convert_to_tensor(one) for one in inputs])


def _flat(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(one) for one in keras.tree.flatten(outputs)]


def _is_float(values: np.ndarray) -> bool:
    return np.issubdtype(values.dtype, np.floating) or values.dtype.name == "bfloat16"
