"""Examples as tensors, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from tfopt.backend.data.arrays.reading import is_in_memory
from tfopt.backend.types import Array, ExampleArray, Nested
from tfopt.errors import TfoptError

_failures: list[TfoptError] = []
"""What went wrong in functions that TensorFlow calls: it passes on the text of an exception only."""


def gathered(arrays: Nested) -> Callable[[tf.Tensor], Nested]:
    """A function from example positions to the rows of tensors or arrays, in any nesting.

    Args:
        arrays: tensors, or arrays that need not be in memory.
    """
    return lambda positions: tf.nest.map_structure(lambda array: _rows(array, positions), arrays)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raises what went wrong while examples were read as itself, and not as an error of TensorFlow.

    Raises:
        StageError: an example cannot be read.
    """
    _failures.clear()
    try:
        yield
    except tf.errors.OpError:
        if _failures:
            raise _failures[0] from None
        raise


def _rows(array: tf.Tensor | ExampleArray, positions: tf.Tensor) -> tf.Tensor:
    if isinstance(array, tf.Tensor) or is_in_memory(array):
        return tf.gather(array, positions)
    wanted = array

    def read(rows: Array) -> Array:
        try:
            return np.ascontiguousarray(wanted[rows], wanted.dtype)
        except TfoptError as error:
            _failures.append(error)
            raise

    values = tf.numpy_function(read, [positions], tf.as_dtype(array.dtype), stateful=False)
    values.set_shape([None, *array.shape[1:]])
    return values
