"""Reads a user's `tf.data.Dataset`, once."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfopt.backend.data.caching.spool import Spool, Spools
from tfopt.backend.data.prepared import RawExamples
from tfopt.backend.types import Array, Nested
from tfopt.errors import StageError

_TOGETHER = 256
"""Elements of one example that become an array together."""
_MOST_ELEMENTS = 20_000_000
"""Where reading stops: a generator that never ends cannot be distinguished from a long one beforehand."""


def read_dataset(dataset: tf.data.Dataset, source: str, spools: Spools = Spools()) -> RawExamples:  # noqa: B008
    """All examples of a finite dataset, batched or not.

    Args:
        dataset: of `(x, y, weights)`, `(x, y)` or `x`, where each is a tensor, or a tuple or dict of tensors.
        source: its name in errors.
        spools: where the examples go.

    Returns:
        Inputs, targets (None for a dataset of `x`), and weights.

    Raises:
        StageError: the dataset never ends, is empty, or its examples differ in shape.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise StageError(
            f"{source} returned a tf.data.Dataset that never ends.",
            "Take out .repeat(): tfopt repeats the examples.",
            code="invalid_data",
        )
    spec = dataset.element_spec
    if isinstance(spec, tuple) and len(spec) > 3:
        raise StageError(
            f"{source} returned a tf.data.Dataset of {len(spec)} parts.",
            "Expected (x, y) or (x, y, sample weights), with several inputs as ((x1, x2), y).",
            code="invalid_data",
        )
    batched = _is_batched(spec, source)
    columns = spools.make(len(tf.nest.flatten(spec)))
    count, waiting = 0, []
    for element in dataset.as_numpy_iterator():
        count += 1
        waiting.append(tf.nest.flatten(element))
        if batched or len(waiting) == _TOGETHER:
            waiting = _taken(columns, waiting, batched, source)
        if count > _MOST_ELEMENTS:
            raise StageError(
                f"{source} returned a tf.data.Dataset with more than {_MOST_ELEMENTS:,} elements.",
                "Does it end?",
                code="invalid_data",
            )
    if not count:
        raise StageError(f"{source} returned an empty tf.data.Dataset.", code="data_missing")
    _taken(columns, waiting, batched, source)
    arrays = tf.nest.pack_sequence_as(spec, [column.finished() for column in columns])
    return RawExamples(*arrays) if isinstance(spec, tuple) and len(spec) > 1 else RawExamples(arrays, None)


def _taken(columns: list[Spool], waiting: list[list[Array]], batched: bool, source: str) -> list[list[Array]]:
    """Puts the parts of elements into their columns; returns that none are left."""
    try:
        for column, part in zip(columns, zip(*waiting, strict=True), strict=waiting != []):
            for rows in part if batched else [np.stack(part)]:
                column.add(np.asarray(rows))
    except ValueError as error:
        raise StageError(
            f"{source} returned examples of different shapes: {error}.",
            "Pad or resize them first.",
            code="invalid_data",
        ) from error
    return []


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
