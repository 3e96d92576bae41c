"""Running a training step on every replica."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.devices import replicas
from tfopt.backend.types import Nested

Step = Callable[[Nested], dict[str, tf.Tensor]]


def on_replicas(step: Step) -> Step:
    """A step that is called with the whole batch, and runs on each replica of the current strategy.

    Args:
        step: takes the whole batch too; what it returns is the same on every replica (metrics are summed over all).

    Returns:
        `step` itself where there is no strategy.
    """
    if not tf.distribute.has_strategy():
        return step
    strategy = tf.distribute.get_strategy()

    def everywhere(batch: Nested) -> dict[str, tf.Tensor]:
        logs = strategy.run(step, (batch,))
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    return everywhere


def of_own_part(step: Step) -> Step:
    """The `train_step` of a user's model, given only the rows of its replica; unchanged without replicas."""
    if not tf.distribute.has_strategy():
        return step
    return lambda batch: step(replicas.own_part(batch).batch)
