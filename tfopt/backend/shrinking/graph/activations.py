"""Whether a function computes each value from the values at the same position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
import tensorflow as tf

from tfopt.backend.types import Array

_LINE = np.asarray([[1.5, -4, 3, -0.5, 4, -2, 0, 2, -3]], dtype=np.float32)
"""In no order: a function that sorts changes them."""


@cache
def is_elementwise(function: Callable[[object], object]) -> bool:
    """Whether each value of a function's result depends on the value at its position alone.

    It is tried: on several values at once and one by one.

    Args:
        function: an activation.
    """
    return _each_alone(lambda values: function(values[0]), [_LINE])


def layer_is_elementwise(layer: Callable[[object], object], ranks: Sequence[int]) -> bool:
    """The same of a layer that is called with tensors of these ranks."""
    count = len(ranks)
    return _each_alone(lambda values: layer(values if count > 1 else values[0]), _values(max(ranks), count))


def computes_each_alone(function: Callable[..., object], arguments: Mapping[str, object], tensor: type) -> bool:
    """The same of an operator with some tensors among its arguments.

    Args:
        function: the operator.
        arguments: by name.
        tensor: type of what stands in the place of tensors.
    """
    flat = tf.nest.flatten(dict(arguments))
    where = [index for index, value in enumerate(flat) if isinstance(value, tensor)]

    def call(values: list[object]) -> object:
        filled = list(flat)
        for index, value in zip(where, values, strict=True):
            filled[index] = value
        return function(**tf.nest.pack_sequence_as(dict(arguments), filled))

    ranks = [len(flat[index].shape) for index in where]
    return bool(where) and _each_alone(call, _values(max(ranks), len(where)))


def _values(rank: int, count: int) -> list[Array]:
    """Values for tensors of a rank, for an axis that a function names is the one that it has in the model."""
    # Seven along the last axis: what moves values by fewer places, or takes the first few, is noticed.
    size = (1, *(3,) * (rank - 2), 7) if rank > 1 else (1,)
    return [np.resize(_LINE + number, size) for number in range(count)]


def _each_alone(function: Callable[[list[object]], object], values: list[Array]) -> bool:
    shape = values[0].shape
    single = (1,) * len(shape)
    try:
        together = np.asarray(function([tf.constant(one) for one in values]))
        alone = [
            np.asarray(function([tf.constant(one.reshape(-1)[index], shape=single) for one in values]))
            for index in range(values[0].size)
        ]
    except (TypeError, ValueError, IndexError, tf.errors.OpError):
        # Not made for such values: something else than values position by position.
        return False
    if together.shape != shape or any(one.shape != single for one in alone):
        return False
    return bool(np.allclose(together.reshape(-1), np.concatenate(alone, axis=None), atol=1e-6, equal_nan=True))
