"""One optimizer step of a student: labels and teacher together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from tfopt.backend.distillation.loss import DistillationLoss, names_of, total
from tfopt.backend.distillation.moving_average import MovingAverageTeacher
from tfopt.backend.distillation.outputs import Answers
from tfopt.backend.distillation.ramps import value_at
from tfopt.backend.training.loop import optimizer_state
from tfopt.core.config.ramps import ResolvedChange

Ask = Callable[[Any], Answers]


class DistillingStep:
    """Takes the place of `model.train_step` for the time of a stage; the model knows nothing of it.

    The student's optimizer holds the student's weights only. Projections have one of their own, made the same way: what
    is stored with the student, its limits on gradient norms, and rewinding are untouched by them.

    Args:
        model: the compiled student, possibly wrapped.
        reader: the same student, with the outputs of its compared layers besides.
        comparison: the losses.
        ask: gives the teacher's answers to inputs; None where they come with the batch, or the student teaches itself.
        average: the student's own past as the teacher.
        temperature: over the steps of the stage.
        weight: share of the teacher's loss over the steps of the stage.
        optimizer: of the projections, not built yet; None where there are none.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        reader: tf_keras.Model,
        comparison: DistillationLoss,
        *,
        ask: Ask | None,
        average: MovingAverageTeacher | None,
        temperature: ResolvedChange,
        weight: ResolvedChange,
        optimizer: tf_keras.optimizers.Optimizer | None,
    ) -> None:
        self._model, self._reader, self._comparison = model, reader, comparison
        self._ask = average.ask if average is not None else ask
        self._average = average
        self._temperature, self._weight = temperature, weight
        self._optimizer = optimizer
        self.projected: list[tf.Variable] = [
            variable for layer in comparison.projections if layer is not None for variable in layer.trainable_variables
        ]
        self._optimizer_state: list[tf.Variable] = []
        if optimizer is not None:
            optimizer.build(self.projected)
            self._optimizer_state = optimizer_state(optimizer)
        names = ["loss", *names_of(comparison.teacher, comparison.task)]
        self.metrics: Sequence[tf_keras.metrics.Metric] = [tf_keras.metrics.Mean(name=name) for name in names]

    @property
    def variables(self) -> list[tf.Variable]:
        """All that a checkpoint must hold besides the student: projections, their optimizer, averages."""
        averages = self._average.averages if self._average is not None else []
        return [*self.projected, *self._optimizer_state, *averages]

    def __call__(self, batch: tuple[Any, ...]) -> dict[str, tf.Tensor]:
        """Takes a step.

        Args:
            batch: (inputs, targets), then weights of the examples (or None), then the teacher's answers, as far as
                there are such.

        Returns:
            Averages over the epoch so far: `loss`, `hard_loss`, the parts of the teacher's, and the metrics.
        """
        model = self._model
        inputs, targets, weights, answers = (*batch, None, None)[:4]
        teacher = self._ask(inputs) if answers is None else Answers(*answers)
        step = model.optimizer.iterations
        temperature, share = value_at(self._temperature, step), value_at(self._weight, step)
        with tf.GradientTape(persistent=bool(self.projected)) as tape:
            outputs, *features = tf.nest.flatten(self._reader(inputs, training=True))
            hard = model.compiled_loss(targets, outputs, weights)
            student = Answers((outputs,), tuple(features))
            mask = getattr(outputs, "_keras_mask", None)
            parts = self._comparison.losses(student, teacher, targets, temperature, mask)
            loss = (1 - share) * hard + share * total(parts)
            if self._reader.losses:
                loss += tf.add_n([tf.cast(one, loss.dtype) for one in self._reader.losses])
        model.optimizer.minimize(loss, model.trainable_variables, tape=tape)
        if self._optimizer is not None:
            self._follow_rate()
            self._optimizer.minimize(loss, self.projected, tape=tape)
        if self._average is not None:
            self._average.follow()
        model.compiled_metrics.update_state(targets, outputs, weights)
        return self._logs({"loss": loss, **parts}, tf.shape(tf.nest.flatten(inputs)[0])[0])

    def _follow_rate(self) -> None:
        """A plateau lowers the student's rate; the projections' follows."""
        rate = self._optimizer._learning_rate
        if isinstance(rate, tf.Variable):
            rate.assign(tf.convert_to_tensor(self._model.optimizer.learning_rate))

    def _logs(self, values: dict[str, tf.Tensor], size: tf.Tensor) -> dict[str, tf.Tensor]:
        for metric in self.metrics:
            metric.update_state(values[metric.name], sample_weight=size)
        measured = {metric.name: metric.result() for metric in self._model.metrics}
        own = {metric.name: metric.result() for metric in self.metrics}
        return {"loss": own.pop("loss"), "hard_loss": measured.pop("loss"), **own, **measured}
