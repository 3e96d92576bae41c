"""The teacher's part of one optimizer step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf
import tf_keras

from tfopt.backend.distillation.compared import ComparedLosses
from tfopt.backend.distillation.loss import total
from tfopt.backend.distillation.moving_average import MovingAverageTeacher
from tfopt.backend.distillation.outputs import ModelOutputs
from tfopt.backend.distillation.ramps import value_at
from tfopt.backend.training.hooks import Batch, ForwardPass, GradientsOf
from tfopt.backend.training.resume.state import optimizer_state
from tfopt.backend.types import Nested
from tfopt.core.config.ramps import ResolvedChange

Ask = Callable[[Nested], ModelOutputs]

Prepared = tuple[ModelOutputs, tf.Tensor, tf.Tensor]
"""Outputs of the teacher, temperature, weight of its loss."""


class TeacherTerm:
    """The teacher's part of a training step: its outputs, its loss, and the updates of projections and averages.

    Projections have an optimizer of their own, made as the student's: what is stored with the student, its limits on
    gradient norms, and rewinding do not depend on them.

    Args:
        model: the compiled student, possibly wrapped.
        loss: the losses.
        ask: returns the teacher's outputs for inputs; None where they come with the batch, or the student is its own
            teacher.
        average: the student's own past as the teacher.
        temperature: over the steps of the stage.
        weight: share of the teacher's loss over the steps of the stage.
        optimizer: of the projections, not built yet; None where there are none.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        loss: ComparedLosses,
        *,
        ask: Ask | None,
        average: MovingAverageTeacher | None,
        temperature: ResolvedChange,
        weight: ResolvedChange,
        optimizer: tf_keras.optimizers.Optimizer | None,
    ) -> None:
        self._model, self._loss = model, loss
        self._ask = average.ask if average is not None else ask
        self._average = average
        self._temperature, self._weight = temperature, weight
        self._optimizer = optimizer
        self.projected: list[tf.Variable] = [
            variable
            for layer in loss.losses[0].projections
            if layer is not None
            for variable in layer.trainable_variables
        ]
        self._optimizer_state: list[tf.Variable] = []
        if optimizer is not None:
            optimizer.build(self.projected)
            self._optimizer_state = optimizer_state(optimizer)
        self.parts = loss.parts

    @property
    def variables(self) -> list[tf.Variable]:
        """All that a checkpoint must contain in addition to the student: projections, their optimizer, averages."""
        averages = self._average.averages if self._average is not None else []
        return [*self.projected, *self._optimizer_state, *averages]

    def prepare(self, batch: Batch) -> Prepared:
        """The teacher's outputs for a batch, and temperature and weight of the step."""
        teacher = ModelOutputs(*batch.extra) if self._ask is None else self._ask(batch.inputs)
        return teacher, value_at(self._temperature, batch.step), value_at(self._weight, batch.step)

    def loss(self, forward: ForwardPass, loss: tf.Tensor) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """`(1 - weight) * loss + weight * that of the teacher`, and the parts of the teacher's."""
        teacher, temperature, share = forward.prepared
        outputs = forward.outputs if isinstance(forward.outputs, list) else [forward.outputs]
        student = ModelOutputs(tuple(outputs), forward.features)
        parts = self._loss.of_batch(student, teacher, forward.batch.targets, temperature, forward.mask)
        return (1 - share) * loss + share * total(parts), parts

    def after_update(self, gradients_of: GradientsOf) -> None:
        """Trains the projections, and moves the averages."""
        if self._optimizer is not None:
            self._follow_rate(self._optimizer)
            gradients = list(zip(gradients_of(self.projected), self.projected, strict=True))
            self._optimizer.apply_gradients(gradients, skip_gradients_aggregation=True)  # they are of the whole batch
        if self._average is not None:
            self._average.follow()

    def _follow_rate(self, optimizer: tf_keras.optimizers.Optimizer) -> None:
        """A plateau lowers the student's rate; that of the projections follows."""
        rate = optimizer._learning_rate
        if isinstance(rate, tf.Variable):
            rate.assign(tf.convert_to_tensor(self._model.optimizer.learning_rate))
