"""Hooks: what a stage adds to plain training. They compose, in the order of their list.

A teacher, a pruning criterion that needs gradients and a regularizer are three hooks of one stage. Each changes what it
is about and nothing else:

| where | method |
|---|---|
| once, before the first step | `start` |
| inside each step, in TensorFlow's graph | `prepare`, `loss`, `on_gradients`, `after_update` |
| between two steps, in Python | `before_step` (at `decision_steps`) |
| at the end of each epoch, in Python | `project_weights`, `sparsity`, `planned_sparsity`, `after_epoch`, `stops` |
| once, after the last epoch | `end` |

What a hook decides must be a function of what is in the checkpoint (`variables` are), so that a resumed stage decides
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tensorflow as tf
import tf_keras

from tfopt.backend.types import Nested

Gradients = Sequence[tuple[tf.Tensor | None, tf.Variable]]
"""Gradient of the whole loss, before clipping, with respect to each trainable variable of the model."""

Value = TypeVar("Value")

GradientsOf = Callable[[Sequence[tf.Variable]], Sequence[tf.Tensor | None]]
"""Returns the gradients of the whole loss of the step with respect to variables of `TrainingHook.trained`."""


@dataclass(frozen=True)
class TrainingSetup:
    """What is known when training starts.

    Args:
        model: compiled, its optimizer built; possibly wrapped.
        total_steps: optimizer steps of the stage.
        steps_per_epoch: optimizer steps of one epoch.
        make_optimizer: makes one more optimizer like the model's.
    """

    model: tf_keras.Model
    total_steps: int
    steps_per_epoch: int
    make_optimizer: Callable[[], tf_keras.optimizers.Optimizer]


@dataclass(frozen=True)
class Batch:
    """One training batch as a hook sees it.

    Args:
        inputs: of the model.
        targets: labels or values; by output name where the model has several outputs.
        weights: of the examples; None where all count the same; by output name where the model has several.
        extra: rows of the hook's `extra`; None where it has none.
        step: optimizer steps taken before this one.
    """

    inputs: Nested
    targets: Nested
    weights: Nested
    extra: Nested
    step: tf.Tensor


@dataclass(frozen=True)
class ForwardPass:
    """What the model computed for a batch, in training mode.

    Args:
        batch: what it was computed from.
        outputs: of the model; a list where it has several.
        features: the tensors that the hook asked for with `features`.
        mask: Keras mask of each output; None where there is none.
        prepared: what the hook's `prepare` returned.
    """

    batch: Batch
    outputs: Nested
    features: tuple[tf.Tensor, ...]
    mask: Nested
    prepared: Nested


class TrainingHook:
    """Base of all hooks: does nothing. Override what the hook is about."""

    @property
    def in_step(self) -> bool:
        """Whether one of the methods inside the step is overridden; otherwise `model.train_step` stays as it is."""
        return any(
            getattr(type(self), name) is not getattr(TrainingHook, name)
            for name in ("features", "prepare", "loss", "on_gradients", "after_update")
        )

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """What a checkpoint must hold for this hook, in a fixed order."""
        return ()

    @property
    def parts(self) -> Sequence[str]:
        """Names of the parts that `loss` returns; each is averaged over the epoch and reported."""
        return ()

    @property
    def extra(self) -> Nested:
        """Arrays (nested) with one row for each training example, whose rows come with each batch; None for none."""
        return None

    @property
    def trained(self) -> Sequence[tf.Variable]:
        """Variables of its own that the loss depends on, whose gradients `after_update` asks for."""
        return ()

    @property
    def decision_steps(self) -> Sequence[int]:
        """Numbers of the steps (the first is 1), ascending, before which `before_step` is called."""
        return ()

    @property
    def early_stopping_from(self) -> int | None:
        """Step from which early stopping counts; None leaves that to others."""
        return None

    @property
    def details(self) -> Mapping[str, object]:
        """Plain values for `StageRecord.details`, read when training is over."""
        return {}

    def start(self, setup: TrainingSetup) -> None:
        """Makes variables and whatever depends on the compiled model."""

    def features(self, model: tf_keras.Model) -> Sequence[tf.Tensor]:
        """Keras tensors inside the model that `loss` needs."""
        return ()

    def prepare(self, batch: Batch) -> Nested:
        """Computes something before the forward pass, of which no gradient is taken."""
        return None

    def loss(self, forward: ForwardPass, loss: tf.Tensor) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """Adds a term.

        Args:
            forward: the forward pass.
            loss: that of the labels, with the terms of the hooks before this one; without regularization of layers.

        Returns:
            The new loss, and the parts named in `parts`.
        """
        return loss, {}

    def on_gradients(self, gradients: Gradients) -> None:
        """Reads the gradients of a step, before the weights change."""
        # A body, for autograph cannot convert a method that is a docstring only.
        return

    def after_update(self, gradients_of: GradientsOf) -> None:
        """Does something after the weights have changed."""
        return

    def before_step(self, step: int) -> None:
        """Decides something about the step with this number, with the weights as they are before it.

        It is called again for the same step after an interruption in between.
        """

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        """Receives the history entry of each epoch; again, if an interruption comes before it is saved."""

    @property
    def stops(self) -> bool:
        """Whether training ends with the epoch that is under way."""
        return False

    def end(self) -> None:
        """Called once after the last epoch."""

    def project_weights(self) -> None:
        """Brings the weights into the state in which they are kept, e.g. applies masks.

        Called after the last step of each epoch, before anything is measured or saved.
        """

    def sparsity(self) -> float | None:
        """The fraction of zeros now; None where this hook does not measure it."""
        return None

    def planned_sparsity(self, step: int) -> float | None:
        """The fraction of zeros that is planned after a number of steps; None where nothing is."""
        return None


class HookList:
    """All hooks of a stage as one; of single values (sparsity, early stopping) the last hook that has one decides.

    Args:
        hooks: in the order in which they are called.
        early_stopping_from: where no hook has one.
    """

    def __init__(self, hooks: Iterable[TrainingHook], early_stopping_from: int | None = None) -> None:
        self.hooks = tuple(hooks)
        self._early_stopping_from = early_stopping_from

    @property
    def variables(self) -> list[tf.Variable]:
        return [variable for hook in self.hooks for variable in hook.variables]

    @property
    def decision_steps(self) -> list[int]:
        return sorted({step for hook in self.hooks for step in hook.decision_steps})

    @property
    def early_stopping_from(self) -> int | None:
        return _last((hook.early_stopping_from for hook in self.hooks), self._early_stopping_from)

    @property
    def extra(self) -> tuple[Nested, ...] | None:
        """The arrays of the hooks that have some, in their order; None where no hook has."""
        return tuple(hook.extra for hook in self.hooks if hook.extra is not None) or None

    @property
    def details(self) -> dict[str, object]:
        return {name: value for hook in self.hooks for name, value in hook.details.items()}

    @property
    def in_step(self) -> bool:
        return any(hook.in_step for hook in self.hooks)

    @property
    def stops(self) -> bool:
        return any(hook.stops for hook in self.hooks)

    def end(self) -> None:
        for hook in self.hooks:
            hook.end()

    def start(self, setup: TrainingSetup) -> None:
        for hook in self.hooks:
            hook.start(setup)

    def before_step(self, step: int) -> None:
        for hook in self.hooks:
            if step in hook.decision_steps:
                hook.before_step(step)

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        for hook in self.hooks:
            hook.after_epoch(entry)

    def project_weights(self) -> None:
        for hook in self.hooks:
            hook.project_weights()

    def sparsity(self) -> float | None:
        return _last(hook.sparsity() for hook in self.hooks)

    def planned_sparsity(self, step: int) -> float | None:
        return _last(hook.planned_sparsity(step) for hook in self.hooks)


class SparsityHook(TrainingHook):
    """Measures sparsity for a stage that does not change it.

    Args:
        measure: returns the fraction of zeros now.
    """

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure

    def sparsity(self) -> float:
        return self._measure()


def _last(values: Iterable[Value | None], default: Value | None = None) -> Value | None:
    found = [value for value in values if value is not None]
    return found[-1] if found else default
