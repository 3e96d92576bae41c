"""The distillation loss: one part for the outputs, and one for each pair of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.distillation import feature_losses, response_losses
from tfopt.backend.distillation.outputs import Form, ModelOutputs, logits, mean, soft_log_probabilities
from tfopt.core.config.distillation import Decoupled, LayerPair, Relational, Teacher
from tfopt.core.config.training.outputs import Task


@dataclass(frozen=True)
class DistillationLoss:
    """Compares outputs and layers of a student with those of its teachers.

    Args:
        teacher: the recipe's block.
        task: what the outputs are.
        form: of the student's outputs.
        teacher_forms: of each teacher's outputs.
        shares: how much each teacher counts.
        projections: by pair of layers; None where the shapes are the same.
        several: whether it is about one of several outputs.
    """

    teacher: Teacher
    task: Task
    form: Form
    teacher_forms: tuple[Form, ...]
    shares: tuple[float, ...]
    projections: Sequence[tf_keras.layers.Layer | None] = ()
    several: bool = False

    def of_outputs(
        self,
        student: ModelOutputs,
        teacher: ModelOutputs,
        targets: tf.Tensor,
        temperature: tf.Tensor,
        mask: tf.Tensor | None,
    ) -> tf.Tensor | None:
        """The loss that compares outputs; None where the recipe compares layers only.

        Args:
            student: outputs in training mode.
            teacher: outputs for the same batch.
            targets: labels; only `decoupled` uses them.
            temperature: a number.
            mask: (batch, ...) positions that count; None for all.
        """
        each = self._of_outputs(student, teacher, targets, temperature)
        return None if each is None else _mean(each, mask)

    def of_layers(self, student: ModelOutputs, teacher: ModelOutputs) -> dict[str, tf.Tensor]:
        """The losses that compare layers, by name."""
        parts: dict[str, tf.Tensor] = {}
        for index, pair in enumerate(self.teacher.pairs):
            ours, theirs = student.features[index], tf.cast(teacher.features[index], tf.float32)
            value = pair.weight * _of_layers(pair, tf.cast(ours, tf.float32), theirs, self.projections[index])
            name = f"{pair.kind}_loss"
            parts[name] = parts[name] + value if name in parts else value
        return parts

    def _of_outputs(
        self, student: ModelOutputs, teacher: ModelOutputs, targets: tf.Tensor, temperature: tf.Tensor
    ) -> tf.Tensor | None:
        loss = self.teacher.response_loss(self.task, self.several)
        if loss == "none":
            return None
        ours = logits(student.outputs[0], self.form, self.task)
        theirs = [
            logits(output, form, self.task) for output, form in zip(teacher.outputs, self.teacher_forms, strict=True)
        ]
        if loss in ("logits", "outputs"):
            relative = self.task == "classes" and "probabilities" in (self.form, *self.teacher_forms)
            if relative:
                ours, theirs = response_losses.centered(ours), [response_losses.centered(one) for one in theirs]
            return response_losses.squared_difference(ours, mean(theirs, self.shares))
        of_teacher = soft_log_probabilities(theirs, self.shares, temperature, self.task)
        of_student = soft_log_probabilities([ours], (1.0,), temperature, self.task)
        if loss == "decoupled":
            weights: Decoupled = self.teacher.decoupled()
            labels = _labels(targets, of_student)
            return response_losses.decoupled(
                of_student, of_teacher, labels, temperature, weights.target, weights.others
            )
        each = response_losses.soft_labels(of_student, of_teacher, temperature)
        return tf.reduce_mean(each, axis=-1) if self.task == "binary" else each

    def probabilities(self, teacher: ModelOutputs) -> tf.Tensor:
        """The outputs of all teachers together at temperature 1; quantities as they are."""
        theirs = [
            logits(output, form, self.task) for output, form in zip(teacher.outputs, self.teacher_forms, strict=True)
        ]
        if self.task == "quantities":
            return mean(theirs, self.shares)
        together = tf.exp(soft_log_probabilities(theirs, self.shares, tf.constant(1.0), self.task))
        return together[..., 1] if self.task == "binary" else together


def _of_layers(
    pair: LayerPair, student: tf.Tensor, teacher: tf.Tensor, projection: tf_keras.layers.Layer | None
) -> tf.Tensor:
    if pair.kind == "relational":
        weights = pair.loss if isinstance(pair.loss, Relational) else Relational()
        return feature_losses.relational(student, teacher, weights.distance, weights.angle)
    if pair.kind == "attention_transfer":
        return feature_losses.attention_transfer(student, teacher)
    return feature_losses.mean_squared(student if projection is None else projection(student), teacher)


def _labels(targets: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """The right class, (batch, ...), from labels or one-hot targets."""
    shape = tf.shape(student)[:-1]
    if targets.dtype.is_integer and (len(targets.shape) < len(student.shape) or targets.shape[-1] == 1):
        return tf.reshape(targets, shape)
    return tf.argmax(targets, axis=-1)


def _mean(each: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    if mask is None:
        return tf.reduce_mean(each)
    counts = tf.cast(mask, each.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(each * counts), tf.reduce_sum(counts))


def total(parts: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The teacher's whole loss."""
    return tf.add_n(list(parts.values()))
