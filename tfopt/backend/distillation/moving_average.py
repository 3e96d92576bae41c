"""Self-distillation: the student learns from the moving average of its own weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.distillation.outputs import ModelOutputs
from tfopt.backend.types import Nested


class MovingAverageTeacher:
    """The mean teacher of Tarvainen and Valpola 2017, arXiv:1703.01780.

    It computes its outputs with the student's own layers, to which the averages are assigned for that time: a student
    inside tfmot's wrappers cannot be copied. Statistics of batch normalization, ranges and masks are the student's.

    Args:
        student: the model in training, possibly wrapped.
        ask: returns the outputs of the student, and of its compared layers, for a batch in inference mode.
        decay: share of the average that stays in each step.
        compared: positions of the student's outputs that are compared.
    """

    def __init__(
        self,
        student: tf_keras.Model,
        ask: Callable[[Nested], list[tf.Tensor]],
        decay: float,
        compared: Sequence[int] = (0,),
    ) -> None:
        self._compared, self._outputs = tuple(compared), len(student.outputs)
        self._weights = list(student.trainable_variables)
        self._ask = ask
        self._decay = decay
        self.averages = [tf.Variable(weight, trainable=False, name="average") for weight in self._weights]

    def ask(self, inputs: Nested) -> ModelOutputs:
        """The outputs for a batch, without a gradient."""
        own = [tf.identity(weight) for weight in self._weights]
        for weight, average in zip(self._weights, self.averages, strict=True):
            weight.assign(average)
        given = [tf.stop_gradient(tensor) for tensor in self._ask(inputs)]
        # The outputs are read before the weights come back: TensorFlow keeps the order of what touches a variable.
        for weight, value in zip(self._weights, own, strict=True):
            weight.assign(value)
        return ModelOutputs(tuple(given[index] for index in self._compared), tuple(given[self._outputs :]))

    def follow(self) -> None:
        """Moves the averages; called after each step."""
        for weight, average in zip(self._weights, self.averages, strict=True):
            average.assign(self._decay * average + (1 - self._decay) * weight)
