"""Variables of several replicas, read and set as one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def assign(variable: tf.Variable, array: np.ndarray) -> None:
    """Gives a variable its value on all replicas.

    A metric's sums, of which each replica has its part, go to the first one: divided, whole numbers would be rounded.
    All processes must call it in the same order.
    """
    if getattr(variable, "aggregation", None) == tf.VariableAggregation.SUM and hasattr(variable, "values"):
        for index, part in enumerate(variable.values):
            part.assign(array if index == 0 and _is_first_process() else np.zeros_like(array))
    else:
        variable.assign(array)


def set_constraint(variable: tf.Variable, constraint: Callable[[tf.Tensor], tf.Tensor] | None) -> None:
    """What an optimizer does to a variable after each step; of a variable with several replicas, to all of them.

    A replicated variable hands out the constraint of its first part, and ignores one of its own.
    """
    for part in getattr(variable, "values", None) or (variable,):
        part._constraint = constraint


def _is_first_process() -> bool:
    resolver = tf.distribute.get_strategy().cluster_resolver
    return resolver is None or not resolver.task_id
