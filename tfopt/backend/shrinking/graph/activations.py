"""Whether a function computes each value from the values at the same position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from tfopt.backend.types import Array

_VALUES = np.linspace(-4, 4, 9, dtype=np.float32).reshape(1, -1)


@cache
def is_elementwise(function: Callable[[Any], Any]) -> bool:
    """Whether each value of a function's result depends on the value at its position alone.

    It is tried: on several values at once and one by one.

    Args:
        function: an activation.
    """
    return _each_alone(lambda values: function(values[0]), [_VALUES])


def layer_is_elementwise(layer: Callable[[Any], Any], count: int) -> bool:
    """The same of a layer that is called with a number of tensors."""
    return _each_alone(lambda values: layer(values if count > 1 else values[0]), [_VALUES + n for n in range(count)])


def computes_each_alone(function: Callable[..., Any], arguments: Mapping[str, Any], tensor: type) -> bool:
    """The same of an operator with some tensors among its arguments.

    Args:
        function: the operator.
        arguments: by name.
        tensor: type of what stands in the place of tensors.
    """
    flat = tf.nest.flatten(dict(arguments))
    where = [index for index, value in enumerate(flat) if isinstance(value, tensor)]

    def call(values: list[Any]) -> Any:
        filled = list(flat)
        for index, value in zip(where, values, strict=True):
            filled[index] = value
        return function(**tf.nest.pack_sequence_as(dict(arguments), filled))

    return bool(where) and _each_alone(call, [_VALUES + number for number in range(len(where))])


def _each_alone(function: Callable[[list[Any]], Any], values: list[Array]) -> bool:
    places = range(_VALUES.shape[1])
    try:
        together = np.asarray(function([tf.constant(one) for one in values]))
        alone = [np.asarray(function([tf.constant(one[:, index : index + 1]) for one in values])) for index in places]
    except (TypeError, ValueError, IndexError, tf.errors.OpError):
        # Not made for such values: something else than values position by position.
        return False
    if together.shape != _VALUES.shape or any(one.shape != (1, 1) for one in alone):
        return False
    return bool(np.allclose(together, np.concatenate(alone, axis=1), atol=1e-6, equal_nan=True))
