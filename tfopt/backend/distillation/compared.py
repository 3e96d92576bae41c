"""The outputs of student and teachers that are compared: one, or several by their names, each with its own loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfopt.backend.distillation.loss import DistillationLoss
from tfopt.backend.distillation.outputs import Form, ModelOutputs
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.types import Nested
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs, Task


@dataclass(frozen=True)
class ComparedOutput:
    """One output that is compared.

    Args:
        name: of the output; empty where the model has one.
        index: its position among the outputs of the student.
        compile: the recipe's block for this output.
        weight: how much its loss counts.
    """

    name: str
    index: int
    compile: Compile
    weight: float

    @property
    def task(self) -> Task:
        """What the output is."""
        return Outputs.of(self.compile).task

    @property
    def form(self) -> Form:
        """What it is taken for where the last layer does not say."""
        return "logits" if Outputs.of(self.compile).are_logits else "probabilities"

    @property
    def part(self) -> str:
        """Name of its part of the teacher's loss."""
        return f"{self.name}_soft_loss" if self.name else "soft_loss"


def compared_outputs(compile: Compile) -> tuple[ComparedOutput, ...]:
    """The outputs that a recipe judges, in the order of the model."""
    return tuple(
        ComparedOutput(name, compile.all_outputs.index(name) if name else 0, of, compile.weight_of(name))
        for name, of in compile.of_each().items()
    )


@dataclass(frozen=True)
class ComparedLosses:
    """The losses of all compared outputs, and of layers.

    Args:
        outputs: what is compared.
        losses: of each output, in the same order; that of the first also compares layers.
    """

    outputs: Sequence[ComparedOutput]
    losses: Sequence[DistillationLoss]

    @property
    def parts(self) -> list[str]:
        """Names of the parts that `of_batch` returns."""
        own = [
            output.part
            for output, loss in zip(self.outputs, self.losses, strict=True)
            if loss.teacher.response_loss(loss.task, loss.several) != "none"
        ]
        return [*own, *dict.fromkeys(f"{pair.kind}_loss" for pair in self.losses[0].teacher.pairs)]

    def of_batch(
        self, student: ModelOutputs, teacher: ModelOutputs, targets: Nested, temperature: tf.Tensor, masks: Nested
    ) -> dict[str, tf.Tensor]:
        """The parts of the teacher's loss by name, each with its weight; their sum is what counts.

        Args:
            student: outputs in training mode: all of the model, in its order.
            teacher: the compared outputs for the same batch.
            targets: labels, by output name where there are several.
            temperature: a number.
            masks: Keras mask of each output of the student; None where there is none.
        """
        parts: dict[str, tf.Tensor] = {}
        count = len(self.outputs)
        for position, (output, loss) in enumerate(zip(self.outputs, self.losses, strict=True)):
            labels = targets[output.name] if isinstance(targets, Mapping) else targets
            mask = masks[output.index] if isinstance(masks, list) else masks
            value = loss.of_outputs(
                ModelOutputs((student.outputs[output.index],)),
                teacher.of(position, count),
                labels,
                temperature,
                _counting(labels, mask, output.compile),
            )
            if value is not None:
                parts[output.part] = value if output.weight == 1 else output.weight * value
        return parts | self.losses[0].of_layers(student, teacher)


def _counting(targets: tf.Tensor, mask: tf.Tensor | None, compile: Compile) -> tf.Tensor | None:
    """Which outputs count: those that Keras does not mask, with a target that the loss does not ignore."""
    ignored = ignored_class(compile)
    if ignored is None:
        return mask
    counts = tf.not_equal(targets, tf.cast(ignored, targets.dtype))
    return counts if mask is None else tf.logical_and(mask, counts)
