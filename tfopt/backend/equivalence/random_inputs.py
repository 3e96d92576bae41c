"""How large the open axes of a model are made when it is tried on random inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfopt.errors import StageError

_GROWTH = 4
_MOST_VALUES = 1 << 22


def accepted_inputs(
    name: str, make: Callable[[int], list[np.ndarray]], call: Callable[[list[np.ndarray]], Any]
) -> list[np.ndarray]:
    """Random inputs that a model takes, the smallest first.

    Some models need long inputs: one that crops 5,000 values at either end of a sequence takes none below 10,001.

    Args:
        name: of the model.
        make: inputs whose open axes are so many times their usual size.
        call: runs the model.

    Raises:
        StageError: the model refuses inputs of any size; says with what words.
    """
    factor, inputs = 1, make(1)
    while True:
        try:
            call(inputs)
        except (ValueError, tf.errors.OpError) as error:
            factor *= _GROWTH
            larger = make(factor)
            if _shapes(larger) == _shapes(inputs) or sum(values.size for values in larger) > _MOST_VALUES:
                reason = str(error).strip().splitlines()
                raise StageError(
                    f"The model {name!r} could not be tried on random inputs of shape {_shapes(inputs)}: "
                    f"{reason[0] if reason else type(error).__name__}",
                    "Expected a model that runs on numbers between -1 and 1, or on small indices.",
                    code="invalid_model",
                ) from error
            inputs = larger
        else:
            return inputs


def _shapes(inputs: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    return [values.shape for values in inputs]
