"""Running optimizer steps: many per call into TensorFlow, yet with a sign of life a few times a second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import tensorflow as tf
import tf_keras

from tfopt.backend.devices import workers
from tfopt.backend.devices.steps import of_own_part, on_replicas
from tfopt.backend.types import Nested

TrainStep = Callable[[Nested], dict[str, tf.Tensor]]
"""Runs one optimizer step with a batch; returns loss and metrics of the epoch so far."""

SIGN_OF_LIFE = 0.2
"""Seconds that one call into TensorFlow should take at most: five progress events a second."""


@dataclass(frozen=True)
class StepResult:
    """What one call into TensorFlow did.

    Args:
        steps: optimizer steps taken; fewer than asked where the loss stopped being finite.
        logs: loss and metrics of the epoch so far.
    """

    steps: int
    logs: dict[str, float]

    @property
    def finite(self) -> bool:
        """Whether the loss is still a number."""
        return math.isfinite(self.logs["loss"])


class StepRunner:
    """Takes optimizer steps with any training step, so that models with one of their own work too.

    Keras' `fit` fixes `steps_per_execution` before the time of a step is known. Here the number of steps is an
    argument of the compiled loop, chosen for each call from the time that the last one took. The loop is left at
    the very step whose loss is not finite.

    Args:
        train_step: `model.train_step` of a compiled model, or a replacement of it: runs a step with a batch and returns
            loss and metrics.
        batches: the training batches, of which the first steps are traced; nothing is run yet.
        xla: XLA compiles the step.
    """

    def __init__(self, train_step: TrainStep, batches: tf.data.Dataset, *, xla: bool = False) -> None:
        # Traced once, although the loop below calls it at two places. None, not False: XLA may be asked for elsewhere.
        step = tf.function(on_replicas(train_step), jit_compile=xla or None)

        @tf.function
        def run(iterator: Iterator[Nested], count: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            # The first step is before the loop: inside, autograph would hide what Keras says of unfit data.
            logs = step(next(iterator))
            done = tf.constant(1)
            while done < count and tf.math.is_finite(logs["loss"]):
                logs = step(next(iterator))
                done += 1
            return done, logs

        self._run = run.get_concrete_function(iter(batches), tf.constant(1))
        self._count = 1

    def advance(self, iterator: Iterator[Nested], most: int) -> StepResult:
        """Takes as many steps as fit into `SIGN_OF_LIFE`, at least one and at most `most`."""
        begun = perf_counter()
        done, logs = self._run(iterator, tf.constant(workers.agree_in_training(min(self._count, most))))
        steps = int(done)
        advance = StepResult(steps, {name: float(tf.reduce_mean(value)) for name, value in logs.items()})
        per_step = (perf_counter() - begun) / steps
        # Grow at most fourfold: the first call pays for TensorFlow's own warming up.
        self._count = max(1, min(4 * self._count, int(SIGN_OF_LIFE / per_step)))
        return advance

    def seconds_per_step(self, iterator: Iterator[Nested], steps: int = 20) -> float:
        """Takes steps, and returns how long one took on average."""
        begun = perf_counter()
        done, _ = self._run(iterator, tf.constant(steps))
        return (perf_counter() - begun) / int(done)


class Validator:
    """Measures a model on a split with `model.test_step`, in one call into TensorFlow.

    Args:
        model: a compiled model.
        batches: the split, of known cardinality.
    """

    def __init__(self, model: tf_keras.Model, batches: tf.data.Dataset) -> None:
        self._model = model
        self._batches = batches

        step = tf.function(on_replicas(of_own_part(model.test_step)))

        @tf.function
        def run(iterator: Iterator[Nested], count: tf.Tensor) -> dict[str, tf.Tensor]:
            logs = step(next(iterator))
            for _ in tf.range(count - 1):
                logs = step(next(iterator))
            return logs

        self._run = run.get_concrete_function(iter(batches), batches.cardinality())

    def measure(self) -> dict[str, float]:
        """Loss and metrics, each under `val_` and its name."""
        self._model.reset_metrics()
        logs = self._run(iter(self._batches), self._batches.cardinality())
        self._model.reset_metrics()
        return {f"val_{name}": float(tf.reduce_mean(value)) for name, value in logs.items()}
