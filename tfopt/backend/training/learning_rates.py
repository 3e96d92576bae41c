"""Learning rates of a recipe as tf_keras ones, in the steps of one stage."""

from __future__ import annotations

import tf_keras

from tfopt.core.config.training.learning_rate import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    LearningRate,
    PiecewiseRate,
    PlateauRate,
    rate_misfits,
)
from tfopt.errors import StageError

schedules = tf_keras.optimizers.schedules


def resolve(
    rate: LearningRate, total_steps: int, steps_per_epoch: int
) -> float | tf_keras.optimizers.schedules.LearningRateSchedule:
    """A rate in the optimizer steps of one stage.

    A plateau starts as its initial rate; what lowers it is `tfopt.backend.stages.fit`, which sees the epochs.

    Args:
        rate: a number, or one of the schedules of `tfopt.core.config.training.learning_rate`.
        total_steps: optimizer steps of the stage.
        steps_per_epoch: optimizer steps of one epoch.

    Raises:
        StageError: a part of the schedule would never be reached.
    """
    for mistake in rate_misfits(rate, total_steps, steps_per_epoch):
        raise StageError(f"learning_rate.{mistake.path[0]} {mistake.message}", code=mistake.code)
    match rate:
        case ConstantRate() | PlateauRate():
            return rate.initial
        case ExponentialRate():
            every = max(1, rate.every.steps(total_steps, steps_per_epoch))
            return schedules.ExponentialDecay(rate.initial, every, rate.factor, rate.staircase)
        case CosineRate():
            return _cosine(rate, total_steps, rate.warmup.steps(total_steps, steps_per_epoch))
        case PiecewiseRate():
            return _piecewise(rate, [step.at.steps(total_steps, steps_per_epoch) for step in rate.steps])
    return float(rate)


def _cosine(rate: CosineRate, total_steps: int, warmup: int) -> tf_keras.optimizers.schedules.LearningRateSchedule:
    alpha = rate.final / rate.initial
    if warmup == 0:
        return schedules.CosineDecay(rate.initial, total_steps, alpha)
    return schedules.CosineDecay(0.0, total_steps - warmup, alpha, warmup_target=rate.initial, warmup_steps=warmup)


def _piecewise(rate: PiecewiseRate, starts: list[int]) -> tf_keras.optimizers.schedules.LearningRateSchedule:
    # Keras keeps a value up to and including its boundary; a rate that holds from step n on ends the last at n - 1.
    rates = [rate.initial, *(step.rate for step in rate.steps)]
    return schedules.PiecewiseConstantDecay([start - 1 for start in starts], rates)
