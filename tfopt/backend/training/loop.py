"""One training stage from its first step, or from its checkpoint, to its last."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.training import checkpoint
from tfopt.backend.training import random_state as randomness
from tfopt.backend.training.checkpoint import Checkpoint, DamagedCheckpoint
from tfopt.backend.training.compile import first_line
from tfopt.backend.training.monitor import MetricMonitor, higher_is_better, watched
from tfopt.backend.training.steps import StepResult, StepRunner, TrainStep, Validator
from tfopt.backend.training.tensorboard import EpochWriter
from tfopt.core.config.learning_rate import PlateauRate
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.errors import StageError

SECONDS_BETWEEN_SIGNS = 0.1
"""Progress events are at least this far apart."""

SECONDS_BETWEEN_CHECKPOINTS = 30
"""A long epoch is checkpointed this often; every epoch is at its end."""

PLATEAU_MIN_DELTA = 1e-4
"""The smallest change that counts for a plateau: the default of Keras' ReduceLROnPlateau."""


def _nothing() -> None:
    """Nothing to project_weights."""


def _ignore(what: object) -> None:
    """Nothing to decide."""


@dataclass(frozen=True)
class StageHooks:
    """What a stage adds to plain training.

    Args:
        project_weights: brings the weights into the state in which they are kept, e.g. applies the masks; called after
            the last step of each epoch, before anything is measured or saved.
        sparsity: measures the share of zeros now.
        planned_sparsity: the share that the schedule plans after a number of steps.
        early_stopping_from: step from which early stopping counts; None takes the stage's own `warmup_end`.
        variables: variables to checkpoint besides those of the model and its optimizer.
        decision_steps: numbers of the steps (the first is 1), ascending, before which `before_step` is called.
        before_step: decides something about the step with the given number, with the weights as they are before it. It
            is called again after an interruption in between.
        after_epoch: is told the history entry of each epoch; again, if an interruption comes before it is saved.
        train_step: takes the place of `model.train_step`.
        metrics: averages over an epoch that `train_step` keeps besides those of the model.
    """

    project_weights: Callable[[], None] = _nothing
    sparsity: Callable[[], float] | None = None
    planned_sparsity: Callable[[int], float] | None = None
    early_stopping_from: int | None = None
    variables: Sequence[tf.Variable] = ()
    decision_steps: Sequence[int] = ()
    before_step: Callable[[int], None] = _ignore
    after_epoch: Callable[[Mapping[str, float]], None] = _ignore
    train_step: TrainStep | None = None
    metrics: Sequence[tf_keras.metrics.Metric] = ()


@dataclass(frozen=True)
class State:
    """Everything about a running stage that is not a tensor; replaced as a whole, so it is never half new.

    Args:
        history: entries of the finished epochs.
        logs: figures of the epoch in progress.
        seconds: what the epoch in progress has taken so far.
        stopping: what early stopping remembers.
        plateau: what reduce-on-plateau remembers.
        stopped: early stopping has ended the stage.
    """

    history: tuple[Mapping[str, float], ...] = ()
    logs: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    stopping: MetricMonitor = field(default_factory=MetricMonitor)
    plateau: MetricMonitor = field(default_factory=MetricMonitor)
    stopped: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> State:
        """From what `asdict` and JSON made of it."""
        watches = {key: MetricMonitor(**plain[key]) for key in ("stopping", "plateau")}
        return cls(**{**plain, **watches, "history": tuple(plain["history"])})


class TrainingLoop:
    """Trains a compiled model over the epochs of a stage; goes on from a checkpoint in `context.work`.

    After every epoch, and when interrupted, all state goes into one file: weights, optimizer, generators of random
    numbers, metrics, history and what early stopping remembers. A stage that goes on from there ends with the same
    weights as one that was never stopped.

    Args:
        model: compiled, with its optimizer built.
        stage: epochs, learning rate, early stopping.
        context: seed, and where progress and checkpoints go.
        batches: makes the batches of all epochs from one (0-based) on.
        validation: batches of the validation split; None where there is none.
        steps_per_epoch: optimizer steps of one epoch.
        hooks: what the stage adds.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        stage: TrainingStage,
        context: StageContext,
        batches: Callable[[int], tf.data.Dataset],
        validation: tf.data.Dataset | None,
        steps_per_epoch: int,
        hooks: StageHooks,
    ) -> None:
        self.model, self.stage, self.context, self.hooks = model, stage, context, hooks
        self.batches = batches
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = stage.epochs * steps_per_epoch
        self.validation = validation
        self.writer = EpochWriter(context.logs) if stage.tensorboard else None
        self.rate = stage.learning_rate or context.compile.optimizer.learning_rate
        self.state = State()
        self.best: list[np.ndarray] = []
        self.last_sign = 0.0
        self.last_save = perf_counter()

    def run(self) -> None:
        """Trains to the end.

        Raises:
            StageError: the loss is no number any more, or data and model do not fit.
            KeyboardInterrupt: as it came, after the state was saved.
        """
        with randomness.restorable(self.model, self.context.seed) as generators:
            self._trace()
            self.groups = {
                # The vocabulary of a lookup layer is among them, and is no tensor.
                "weights": [variable for variable in self.model.variables if isinstance(variable, tf.Variable)],
                "optimizer": optimizer_state(self.model.optimizer),
                "metrics": [
                    variable for metric in [*self.model.metrics, *self.hooks.metrics] for variable in metric.variables
                ],
                "random": generators,
                "extra": list(self.hooks.variables),
            }
            self._restore()
            try:
                self._epochs()
            except KeyboardInterrupt:
                self._save()
                raise
        self._finish()

    @property
    def step(self) -> int:
        """Optimizer steps taken: the one clock of the stage, kept by the optimizer itself."""
        return int(self.model.optimizer.iterations)

    def _trace(self) -> None:
        """Compiles the steps, without running any: what does not fit shows here, and makes metrics and slots."""
        try:
            self.step_runner = StepRunner(self.hooks.train_step or self.model.train_step, self.batches(0))
            self.validator = Validator(self.model, self.validation) if self.validation is not None else None
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise StageError(_misfit(self.model, self.batches(0), error)) from error

    def _epochs(self) -> None:
        first = len(self.state.history)
        if first == self.stage.epochs or self.state.stopped:
            return
        taken = self.step - first * self.steps_per_epoch
        iterator = iter(self.batches(first).skip(taken) if taken else self.batches(first))
        for epoch in range(first, self.stage.epochs):
            self._steps(epoch, iterator)
            self._close_epoch(epoch + 1)
            self._save()
            if self.state.stopped:
                break

    def _steps(self, epoch: int, iterator: Any) -> None:
        end = (epoch + 1) * self.steps_per_epoch
        step = self.step
        if step == end - self.steps_per_epoch:
            for metric in [*self.model.metrics, *self.hooks.metrics]:
                metric.reset_state()
        while step < end:
            begun = perf_counter()
            advance = self.step_runner.advance(iterator, self._prepared(step, end) - step)
            step += advance.steps
            if not advance.finite:
                raise _not_finite(epoch + 1, step, advance, self.rate)
            self.state = replace(self.state, logs=advance.logs, seconds=self.state.seconds + perf_counter() - begun)
            self._show(epoch + 1, step)
            if perf_counter() - self.last_save > SECONDS_BETWEEN_CHECKPOINTS:
                self._save()

    def _prepared(self, step: int, end: int) -> int:
        """Decides what is to be decided before the step that follows `step`; the step to which nothing else is."""
        decision_steps = self.hooks.decision_steps
        following = bisect_right(decision_steps, step + 1)
        if following and decision_steps[following - 1] == step + 1:
            self.hooks.before_step(step + 1)
        return min(end, decision_steps[following] - 1) if following < len(decision_steps) else end

    def _show(self, epoch: int, step: int) -> None:
        now = perf_counter()
        if now - self.last_sign < SECONDS_BETWEEN_SIGNS and step != self.total_steps:
            return
        self.last_sign = now
        event: dict[str, Any] = {
            "event": "progress",
            "stage": self.stage.name,
            "step": step,
            "steps": self.total_steps,
            "epoch": epoch,
            "epochs": self.stage.epochs,
            "metrics": dict(self.state.logs),
        }
        if self.hooks.sparsity is not None:
            event["sparsity"] = self.hooks.sparsity()
        self.context.emit(event)

    def _close_epoch(self, epoch: int) -> None:
        begun = perf_counter()
        self.hooks.project_weights()
        entry: dict[str, float] = {"epoch": epoch, "step": self.step, "seconds": 0.0, **self.state.logs}
        if self.validator is not None:
            entry |= self.validator.measure()
        if self.hooks.sparsity is not None:
            entry["sparsity"] = self.hooks.sparsity()
        if self.hooks.planned_sparsity is not None:
            entry["planned_sparsity"] = self.hooks.planned_sparsity(self.step)
        entry["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))
        self.hooks.after_epoch(entry)
        entry["seconds"] = self.state.seconds + perf_counter() - begun
        self.state = self._watch(replace(self.state, history=(*self.state.history, entry), logs={}, seconds=0.0))
        if self.writer is not None:
            self.writer.write(entry)
        self.context.emit({"event": "epoch", "stage": self.stage.name, **entry})

    def _watch(self, state: State) -> State:
        entry = state.history[-1]
        epoch = int(entry["epoch"])
        if isinstance(self.rate, PlateauRate):
            monitor = self.rate.monitor
            value = watched(monitor, entry, "learning_rate")
            plateau = state.plateau.after(epoch, value, higher_is_better(monitor), PLATEAU_MIN_DELTA)
            if plateau.waited >= self.rate.patience:
                lower = max(self.rate.final, entry["learning_rate"] * self.rate.factor)
                self.model.optimizer.learning_rate.assign(lower)
                plateau = plateau.rested()
            state = replace(state, plateau=plateau)
        stopping = self.stage.early_stopping
        if stopping is not None and entry["step"] >= (self.hooks.early_stopping_from or 0):
            value = watched(stopping.monitor, entry, "early_stopping")
            watch = state.stopping.after(epoch, value, higher_is_better(stopping.monitor), stopping.min_delta)
            if watch.best_epoch == epoch and stopping.restore_best:
                self.best = [variable.numpy() for variable in self.model.variables]
            state = replace(state, stopping=watch, stopped=watch.waited >= stopping.patience)
        return state

    def _finish(self) -> None:
        stopping = self.state.stopping
        if self.best:
            _assign(self.model.variables, self.best)
        elif self.model.optimizer.use_ema:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        self.hooks.project_weights()
        if self.stage.early_stopping is not None:
            self.context.emit(
                {
                    "event": "details",
                    "stage": self.stage.name,
                    "early_stopping": {
                        "stopped_after": len(self.state.history),
                        "best_epoch": stopping.best_epoch,
                        "restored": bool(self.best),
                    },
                }
            )

    def _save(self) -> None:
        self.last_save = perf_counter()
        groups = {name: [variable.numpy() for variable in group] for name, group in self.groups.items()}
        state = {"stage": self._identity(), **asdict(self.state)}
        checkpoint.write(self.context.work, Checkpoint({**groups, "best": self.best}, state))

    def _restore(self) -> None:
        try:
            found = checkpoint.read(self.context.work)
            if found is None:
                return
            state = dict(found.state)
            if state.pop("stage", None) != self._identity():
                raise DamagedCheckpoint(f"{self.context.work / checkpoint.FILE} belongs to another stage")
            best = list(found.groups.get("best", ()))
            for name, variables in [*self.groups.items(), *([("best", self.model.variables)] if best else [])]:
                arrays = found.groups.get(name, ())
                if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
                    raise DamagedCheckpoint(f"{self.context.work / checkpoint.FILE} holds other {name}")
            restored = State.from_plain(state)
        except (DamagedCheckpoint, TypeError, KeyError) as error:
            message = f"{self.stage.name}: {error}; the stage starts again from its first step."
            self.context.emit({"event": "warning", "message": message})
            return
        for name, variables in self.groups.items():
            _assign(variables, found.groups.get(name, ()))
        self.state, self.best = restored, best
        for entry in restored.history:
            self.context.emit({"event": "epoch", "stage": self.stage.name, **entry})

    def _identity(self) -> str:
        config = self.stage.model_dump(mode="json", exclude={"name"})
        compile_config = self.context.compile.model_dump(mode="json")
        parts = [config, compile_config, self.context.seed, self.context.batch_size, self.steps_per_epoch]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def optimizer_state(optimizer: tf_keras.optimizers.Optimizer) -> list[tf.Variable]:
    """All that an optimizer remembers.

    tf_keras leaves two things out of `variables`: the learning rate, which a plateau lowers, and Nadam's momentum
    product.
    """
    listed = list(optimizer.variables)
    known = {id(variable) for variable in listed}
    own = (value for _, value in sorted(vars(optimizer).items()) if isinstance(value, tf.Variable))
    return listed + [variable for variable in own if id(variable) not in known]


def _assign(variables: Sequence[tf.Variable], arrays: Sequence[np.ndarray]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _not_finite(epoch: int, step: int, advance: StepResult, rate: Any) -> StageError:
    now = rate if isinstance(rate, float) else rate.initial
    return StageError(
        f"the loss became {advance.logs['loss']} in epoch {epoch}, at step {step}.",
        f"Lower the learning rate (now {now}), set compile.optimizer.clipnorm to 1.0, and check that the inputs are "
        "scaled and hold no NaN.",
    )


def _misfit(model: tf_keras.Model, batches: tf.data.Dataset, error: Exception) -> str:
    inputs, targets = (tf.nest.map_structure(lambda spec: tuple(spec.shape), part) for part in batches.element_spec[:2])
    return (
        f"model and data do not fit: the model takes {model.input_shape} and gives {model.output_shape}, the data has "
        f"inputs {inputs} and targets {targets}. Keras says: {first_line(error)}"
    )
