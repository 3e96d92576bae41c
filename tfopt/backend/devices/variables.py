"""Variables of several replicas, read and set as one."""

from __future__ import annotations

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


def _is_first_process() -> bool:
    resolver = tf.distribute.get_strategy().cluster_resolver
    return resolver is None or not resolver.task_id
