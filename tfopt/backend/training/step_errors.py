"""The errors of a training step: the loss is no number, model and data do not fit, XLA cannot compile it."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.training.compile import first_line
from tfopt.core.config.training.learning_rate import LearningRate
from tfopt.errors import StageError


class LossNotFinite(StageError):
    """The loss of a step is not a number.

    Args:
        message: what it became, and when.
        hint: what helps.
        epoch: in which it did, from 1.
        step: of the stage, from 1.
        code: of the error.
    """

    def __init__(self, message: str, hint: str, *, epoch: int, step: int, code: str) -> None:
        super().__init__(message, hint, code=code)
        self.epoch, self.step = epoch, step

    @property
    def when(self) -> str:
        """The moment, for a sentence."""
        return when(self.epoch, self.step)


def not_finite(loss: float, epoch: int, step: int, rate: LearningRate) -> LossNotFinite:
    """The error of a loss that is NaN or infinite.

    Args:
        loss: what it became.
        epoch: in which, from 1.
        step: of the stage, from 1.
        rate: the learning rate of the stage.
    """
    now = rate if isinstance(rate, float) else rate.initial
    return LossNotFinite(
        f"the loss became {loss} {when(epoch, step)}.",
        f"Lower the learning rate (now {now}), set compile.optimizer.clipnorm to 1.0, and check that the inputs are "
        "scaled and hold no NaN.",
        epoch=epoch,
        step=step,
        code="loss_not_finite",
    )


def not_compiled(error: Exception) -> StageError:
    """The error of a step that XLA was asked to compile, from what TensorFlow raised."""
    return StageError(
        f"XLA cannot compile the training step of this model: {first_line(error)}",
        "Leave compile.xla out, or write compile.xla: auto, which uses it where it can and where it gains.",
        code="incompatible_model",
    )


def when(epoch: int, step: int) -> str:
    """The moment, for a sentence."""
    return f"in epoch {epoch}, at step {step}"


def misfit(model: tf_keras.Model, batches: tf.data.Dataset, error: Exception) -> str:
    """What a user reads where a step cannot be traced, from what Keras raised."""
    inputs, targets = (tf.nest.map_structure(lambda spec: tuple(spec.shape), part) for part in batches.element_spec[:2])
    return (
        f"model and data do not fit: the model takes {model.input_shape} and gives {model.output_shape}, the data has "
        f"inputs {inputs} and targets {targets}. Keras says: {first_line(error)}"
    )
