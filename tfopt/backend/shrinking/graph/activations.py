"""Whether a function computes each value from one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_VALUES = np.linspace(-4, 4, 9, dtype=np.float32).reshape(1, -1)


def is_elementwise(function: Callable[[Any], Any]) -> bool:
    """Whether each value of a function's result depends on the value at its position alone.

    It is tried: on several values at once and one by one.

    Args:
        function: an activation; a layer, too.
    """
    together = np.asarray(function(tf.constant(_VALUES)))
    if together.shape != _VALUES.shape:
        return False
    alone = [np.asarray(function(tf.constant(_VALUES[:, index : index + 1]))) for index in range(_VALUES.shape[1])]
    return bool(np.allclose(together, np.concatenate(alone, axis=1), atol=1e-6))
