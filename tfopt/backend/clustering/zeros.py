"""Holding the zeros of weights while other weights are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import tensorflow as tf

from tfopt.backend.devices.variables import set_constraint

Constraint = Callable[[tf.Tensor], tf.Tensor]


@contextmanager
def zeros_held(variables: Iterable[tf.Variable]) -> Iterator[None]:
    """Keeps zeros of kernels at zero: the optimizer applies a variable's constraint after every step.

    Biases and other vectors are left alone: zero is where they start.

    Args:
        variables: their own constraints hold too, and are all that is left afterwards.
    """
    before = [(variable, variable.constraint) for variable in variables if len(variable.shape) >= 2]
    try:
        for variable, own in before:
            mask = tf.cast(tf.not_equal(variable, 0), variable.dtype)
            set_constraint(variable, _held(own, mask))
        yield
    finally:
        for variable, own in before:
            set_constraint(variable, own)


def _held(own: Constraint | None, mask: tf.Tensor) -> Constraint:
    return lambda value: (value if own is None else own(value)) * mask
