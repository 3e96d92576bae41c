"""Loss scaling: gradients that would vanish in float16 are computed of a loss that is multiplied by a large number.

Micikevicius et al. 2018, arXiv:1710.03740; by Keras' `LossScaleOptimizer`: a step whose gradients overflow changes no
weight and halves the scale, 2,000 steps without one double it. Such a step counts as a step: schedules go on.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfopt.core.config.training.precision import Precision


def loss_scaled(optimizer: tf_keras.optimizers.Optimizer, precision: Precision | None) -> tf_keras.optimizers.Optimizer:
    """The optimizer of a model that is trained in `precision`: for mixed_float16 with a loss scale around it.

    Args:
        optimizer: not built yet, or built for the variables that are trained.
        precision: of the recipe.
    """
    if precision != "mixed_float16":
        return optimizer
    scaled = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
    scaled.skipped_steps = tf.Variable(
        0, dtype=tf.int64, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
    )
    scale = scaled._loss_scale
    update = scale.update

    def counted(gradients: Sequence[object]) -> tuple[object, tf.Tensor]:
        operation, applied = update(gradients)
        scaled.skipped_steps.assign_add(tf.cast(tf.logical_not(applied), tf.int64))
        return operation, applied

    scale.update = counted
    return scaled


def loss_scale_state(optimizer: tf_keras.optimizers.Optimizer) -> list[tf.Variable]:
    """What a checkpoint must hold besides the optimizer inside: the scale, steps since it changed, skipped steps."""
    if not is_scaled(optimizer):
        return []
    scale = optimizer._loss_scale
    return [scale.current_loss_scale, scale.counter, optimizer.skipped_steps]


def is_scaled(optimizer: tf_keras.optimizers.Optimizer) -> bool:
    """Whether it is one of `loss_scaled` with a scale."""
    return hasattr(optimizer, "skipped_steps")


def inner(optimizer: tf_keras.optimizers.Optimizer) -> tf_keras.optimizers.Optimizer:
    """The optimizer that changes the weights."""
    return optimizer.inner_optimizer if is_scaled(optimizer) else optimizer


def is_exhausted(optimizer: tf_keras.optimizers.Optimizer) -> bool:
    """Whether the last step overflowed and left the scale at 1: no scale above 1 is small enough."""
    if not is_scaled(optimizer):
        return False
    return float(optimizer.loss_scale) == 1 and int(optimizer.dynamic_counter.numpy()) == 0


def zero_where_overflowed(gradients: Sequence[tf.Tensor | None]) -> list[tf.Tensor | None]:
    """Gradients for those who sum them up: all zero in a step in which one is not finite."""
    known = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in known])
    return [
        None if gradient is None else tf.where(finite, tf.convert_to_tensor(gradient), tf.zeros((), gradient.dtype))
        for gradient in gradients
    ]


def details(optimizer: tf_keras.optimizers.Optimizer) -> dict[str, float]:
    """For `StageRecord.details`."""
    if not is_scaled(optimizer):
        return {}
    return {"loss_scale": float(optimizer.loss_scale), "skipped_steps": int(optimizer.skipped_steps.numpy())}
