"""Reads a user's `tf.data.Dataset` into memory, once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfopt.backend.types import Array, Nested
from tfopt.errors import StageError

_MOST_ELEMENTS = 20_000_000
"""Where reading stops: a generator that never ends cannot be distinguished from a long one beforehand."""


def read_dataset(dataset: tf.data.Dataset, source: str) -> tuple[Nested, Nested]:
    """All examples of a finite dataset, batched or not.

    Args:
        dataset: of `(x, y)` or `x`, where x and y are tensors, or tuples or dicts of tensors.
        source: its name in errors.

    Returns:
        Inputs and targets (None for a dataset of `x`).

    Raises:
        StageError: the dataset never ends, is empty, has sample weights, or its examples differ in shape.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise StageError(
            f"{source} returned a tf.data.Dataset that never ends.",
            "Take out .repeat(): tfopt repeats the examples.",
            code="invalid_data",
        )
    spec = dataset.element_spec
    if isinstance(spec, tuple) and len(spec) > 2:
        raise StageError(
            f"{source} returned a tf.data.Dataset of {len(spec)} parts.",
            "Expected (x, y), with several inputs as ((x1, x2), y); class_weights of a stage replaces sample weights.",
            code="invalid_data",
        )
    join = np.concatenate if _is_batched(spec, source) else np.stack
    elements = []
    for element in dataset.as_numpy_iterator():
        elements.append(element if isinstance(element, tuple) else (element, None))
        if len(elements) > _MOST_ELEMENTS:
            raise StageError(
                f"{source} returned a tf.data.Dataset with more than {_MOST_ELEMENTS:,} elements.",
                "Does it end?",
                code="invalid_data",
            )
    if not elements:
        raise StageError(f"{source} returned an empty tf.data.Dataset.", code="data_missing")
    try:
        inputs, targets = (_joined([element[part] for element in elements], join) for part in range(2))
        return inputs, targets
    except ValueError as error:
        raise StageError(
            f"{source} returned examples of different shapes: {error}.",
            "Pad or resize them first.",
            code="invalid_data",
        ) from error


def _joined(parts: list[Nested], join: Callable[[list[Array]], Array]) -> Nested:
    if parts[0] is None:
        return None
    if isinstance(parts[0], dict):
        return {name: join([part[name] for part in parts]) for name in parts[0]}
    if isinstance(parts[0], tuple):
        return tuple(join([part[position] for part in parts]) for position in range(len(parts[0])))
    return join(parts)


def _is_batched(spec: Nested, source: str) -> bool:
    specs = tf.nest.flatten(spec)
    if not all(isinstance(part, tf.TensorSpec) and part.shape.rank is not None for part in specs):
        raise StageError(
            f"{source} returned a tf.data.Dataset of ragged, sparse or shapeless tensors.",
            "Make them dense.",
            code="invalid_data",
        )
    shapes = [part.shape.as_list() for part in specs]
    if any(not shape for shape in shapes):
        return False
    leading = {shape[0] for shape in shapes}
    if leading == {None}:
        return True
    if len(shapes) > 1 and len(leading) == 1 and all(len(shape) == 1 for shape in shapes):
        raise StageError(
            f"{source} returned a tf.data.Dataset whose parts all have the shape ({leading.pop()},): batched or not?",
            "Add .unbatch(), or batch without drop_remainder.",
            code="invalid_data",
        )
    return len(shapes) > 1 and len(leading) == 1
