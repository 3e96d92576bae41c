"""Weight rewinding: the weights that pruning has left go back to those of an earlier epoch.

Renda, Frankle and Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning" (2020), arXiv:2003.02389.
There the learning rate is rewound too; here the stage's own schedule continues: a stage declares its rate itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.training.hooks import TrainingHook
from tfopt.backend.training.resume import snapshots
from tfopt.backend.training.resume.snapshots import Snapshot
from tfopt.core.config.rewind import Rewind
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import StageError

_SCALES = ("_velocities", "_velocity_hats", "_u")
"""Attributes of tf_keras optimizers (Adam, AdamW, Adamax, Nadam, RMSprop) that hold running sizes of gradients."""


class RewindHook(TrainingHook):
    """Sets the weights back before one step; early stopping counts from there on.

    Doing it twice is the same as doing it once, and needs nothing of what came before: a stage that was interrupted in
    the midst of it does it again.

    Args:
        step: number of that step.
        weights: the earlier weights.
        mask: multiplies the weights with their masks.
        restart: resets the optimizer.
    """

    def __init__(self, step: int, weights: Snapshot, mask: Callable[[], None], restart: Callable[[], None]) -> None:
        self._step, self._weights, self._mask, self._restart = step, weights, mask, restart

    @property
    def decision_steps(self) -> Sequence[int]:
        return (self._step,)

    @property
    def early_stopping_from(self) -> int:
        return self._step

    def before_step(self, step: int) -> None:
        for variable, array in self._weights:
            variable.assign(array)
        self._mask()
        self._restart()


def read(rewind: Rewind, model: tf_keras.Model, context: StageContext) -> Snapshot:
    """The weights to go back to; read before training, so that what is missing shows at once.

    Raises:
        StageError: they are not there, or are those of other layers.
    """
    folder = context.earlier.get(rewind.stage)
    if folder is None:
        raise StageError(
            f"rewind.stage is {rewind.stage!r}, which did not come before this stage.", code="no_earlier_stage"
        )
    return snapshots.read(folder, rewind.stage, rewind.epoch, model)


def restart(
    optimizer: tf_keras.optimizers.Optimizer, fresh: tf_keras.optimizers.Optimizer, variables: Sequence[tf.Variable]
) -> None:
    """Resets an optimizer's momenta, but not its step count, its rate, nor its running sizes of gradients.

    `iterations` is the clock of the whole stage, and Adam corrects the bias of its running means by it: begun at zero
    long after the first step, the running mean of squared gradients is left uncorrected, and the updates are up to
    6.5 times as large as they should be for hundreds of steps (beta_1 0.9, beta_2 0.999, gradients of equal size). So
    it is kept.

    Args:
        optimizer: built for the variables.
        fresh: made the same way, and not built yet; it is used up.
        variables: what is trained, with the values that training starts from again.
    """
    fresh.build(variables)
    kept = [optimizer.iterations, *(one for name in _SCALES for one in getattr(optimizer, name, ()))]
    keep = {id(variable) for variable in kept}
    for variable, new in zip(optimizer.variables, fresh.variables, strict=True):
        if id(variable) not in keep:
            variable.assign(new)
