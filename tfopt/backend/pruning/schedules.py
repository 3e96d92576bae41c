"""Sparsity schedules as tfmot wants them: the one place where a resolved schedule becomes a `PruningSchedule`."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_pruning import PruningSchedule
from tfopt.backend.types import Config
from tfopt.core.config.schedules import ResolvedSchedule


class Serializable(PruningSchedule):
    """A schedule that comes back from its own config.

    tfmot's `get_config` puts the arguments one level deeper than its `from_config` looks for them:
    `PolynomialDecay.from_config(schedule.get_config())` is a TypeError in 0.8.1.
    """

    def arguments(self) -> Config:
        """The arguments that make the same schedule again."""
        raise NotImplementedError

    def get_config(self) -> Config:
        return {"class_name": tf_keras.utils.get_registered_name(type(self)), "config": self.arguments()}

    @classmethod
    def from_config(cls, config: Config) -> Serializable:
        return cls(**config.get("config", config))


@tf_keras.utils.register_keras_serializable("tfopt")
class MaskUpdates(Serializable):
    """The steps at which masks are updated, and the sparsity of each.

    tfmot's own schedules count from 0 while its wrapper's first step is 1: with `begin` 0 they miss the update at
    begin, and sparsity stays 0 until `every` steps later.

    Args:
        steps: ascending, from 1.
        sparsities: one for each.
    """

    def __init__(self, steps: Sequence[int], sparsities: Sequence[float]) -> None:
        self.steps = list(steps)
        self.sparsities = list(sparsities)

    @classmethod
    def of(cls, schedule: ResolvedSchedule) -> MaskUpdates:
        """A resolved schedule for tfmot: what is planned and drawn is what is done."""
        steps = update_steps(schedule)
        return cls(steps, [schedule.sparsity_at(step) for step in steps])

    def __call__(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        steps = tf.constant(self.steps, tf.int64)
        latest = tf.searchsorted(steps, tf.reshape(tf.cast(step, tf.int64), [1]), side="right")[0] - 1
        begun = latest >= 0
        latest = tf.maximum(latest, 0)
        sparsity = tf.gather(tf.constant(self.sparsities, tf.float32), latest)
        return begun & (tf.gather(steps, latest) == tf.cast(step, tf.int64)), tf.where(begun, sparsity, 0.0)

    def arguments(self) -> Config:
        return {"steps": self.steps, "sparsities": self.sparsities}


@tf_keras.utils.register_keras_serializable("tfopt")
class ControlledSchedule(Serializable):
    """A schedule whose next update is set before each step by a controller (`tfopt.backend.pruning.controllers`).

    Args:
        sparsity: of the latest update.
        update_at: the step of the latest update; -1 before the first.
    """

    def __init__(self, sparsity: float = 0.0, update_at: int = -1) -> None:
        self.sparsity = tf.Variable(sparsity, trainable=False, dtype=tf.float32, name="sparsity")
        self.update_at = tf.Variable(update_at, trainable=False, dtype=tf.int64, name="update_at")

    def update_masks(self, step: int, sparsity: float) -> None:
        """Lets the masks be updated in the next step, which has this number."""
        self.sparsity.assign(sparsity)
        self.update_at.assign(step)

    def __call__(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cast(step, tf.int64) == self.update_at, self.sparsity.read_value()

    def arguments(self) -> Config:
        return {"sparsity": float(self.sparsity), "update_at": int(self.update_at)}


def update_steps(schedule: ResolvedSchedule) -> list[int]:
    """The steps in which masks are updated; what is planned for step 0 is done in the first, which is step 1."""
    return sorted({max(step, 1) for step, _ in schedule.mask_updates})
