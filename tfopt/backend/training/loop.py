"""One training stage from its first step, or from its checkpoint, to its last."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from time import perf_counter

import tensorflow as tf
import tf_keras

from tfopt.backend.devices import replicas, workers
from tfopt.backend.devices.steps import of_own_part
from tfopt.backend.training import xla
from tfopt.backend.training.composed_step import ComposedStep
from tfopt.backend.training.hooks import HookList
from tfopt.backend.training.monitor import monitored
from tfopt.backend.training.precision import loss_scale
from tfopt.backend.training.precision.overflow import overflow_error
from tfopt.backend.training.resume import random_state
from tfopt.backend.training.resume.checkpoint import DamagedCheckpoint
from tfopt.backend.training.resume.state import Progress, StageState, assign, optimizer_state
from tfopt.backend.training.step_errors import misfit, not_compiled, not_finite, when
from tfopt.backend.training.steps import StepRunner, Validator
from tfopt.backend.training.tensorboard import EpochWriter
from tfopt.backend.types import Nested
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.config.training.learning_rate import PlateauRate
from tfopt.core.config.training.precision import is_mixed
from tfopt.core.contracts.events import EpochFinished, StepProgress, Warned
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.errors import StageError

SECONDS_BETWEEN_SIGNS = 0.1
"""Progress events are at least this far apart."""

SECONDS_BETWEEN_CHECKPOINTS = 30
"""A long epoch is checkpointed this often; every epoch is at its end."""

PLATEAU_MIN_DELTA = 1e-4
"""The smallest change that counts for a plateau: the default of Keras' ReduceLROnPlateau."""


class TrainingLoop:
    """Trains a compiled model over the epochs of a stage; resumes from a checkpoint in `context.work`.

    After every epoch, and when interrupted, all state goes into one file: weights, optimizer, generators of random
    numbers, metrics, history, and the state of early stopping. A stage that resumes from there ends with the same
    weights as one that was never stopped.

    Args:
        model: compiled, with its optimizer built.
        stage: epochs, learning rate, early stopping.
        context: seed, and where progress and checkpoints go.
        batches: makes the batches of all epochs from one (0-based) on, from a step of it (0-based) on.
        validation: batches of the validation split; None where there is none.
        steps_per_epoch: optimizer steps of one epoch.
        hooks: what the stage adds, started.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        stage: TrainingStage,
        context: StageContext,
        batches: Callable[[int, int], tf.data.Dataset],
        validation: tf.data.Dataset | None,
        steps_per_epoch: int,
        hooks: HookList,
    ) -> None:
        self.model, self.stage, self.context, self.hooks = model, stage, context, hooks
        self.batches = batches
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = stage.epochs * steps_per_epoch
        self.decision_steps = hooks.decision_steps
        self.validation = validation
        self.writer = EpochWriter(context.logs) if stage.tensorboard and workers.leads() else None
        self.rate = stage.learning_rate or context.compile.optimizer.learning_rate
        self.last_sign = 0.0
        self.last_save = perf_counter()

    def run(self) -> dict[str, object]:
        """Trains to the end.

        Returns:
            Details of the hooks and of early stopping, for `StageRecord.details`.

        Raises:
            StageError: the loss is not finite, or data and model do not fit.
            KeyboardInterrupt: as it came, after the state was saved.
        """
        with random_state.restorable(self.model, self.context.seed) as generators:
            known = xla.first_choice(self.context.compile.xla, self.context.work)
            self._trace(known is not None and known.compiled)
            self.state = self._all_state(generators)
            self._restore()
            self.xla = known or self._measure_xla()
            try:
                self._epochs()
            except KeyboardInterrupt:
                if not workers.several():  # others are at another step, and a checkpoint is made by all
                    self._save()
                raise
            self.hooks.end()
        return self._finish()

    @property
    def step(self) -> int:
        """Optimizer steps taken: the one clock of the stage, kept by the optimizer itself."""
        return int(self.model.optimizer.iterations.numpy())

    def _trace(self, by_xla: bool) -> None:
        """Compiles the steps, without running any: what does not fit shows here, and makes metrics and slots."""
        try:
            composed = self._composed_step()
            self.train_step = composed or of_own_part(self.model.train_step)
            self.step_runner = StepRunner(self.train_step, self.batches(0, 0), xla=by_xla)
            self.validator = Validator(self.model, self.validation) if self.validation is not None else None
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise StageError(misfit(self.model, self.batches(0, 0), error), code="incompatible_shapes") from error
        self.metrics = [*self.model.metrics, *(composed.metrics if composed is not None else ())]

    def _measure_xla(self) -> xla.Choice:
        """Takes the faster steps, as measured."""
        compiled = cache(lambda: StepRunner(self.train_step, self.batches(0, 0), xla=True))
        variables = [variable for group in self.state.groups.values() for variable in group]
        choice = xla.measured_choice(self.step_runner, compiled, self.batches(0, 0), variables, self.context.work)
        if choice.compiled:
            self.step_runner = compiled()
        return choice

    def _composed_step(self) -> ComposedStep | None:
        """The step in place of the model's own, where hooks, several batches or several replicas make it necessary."""
        if (self.context.compile.gradient_accumulation_steps or 1) > 1:
            return ComposedStep(self.model, self.hooks, self.context.examples_at_once)
        # On several replicas, Keras' own step weighs parts of different sizes the same.
        keras_own = type(self.model).train_step is tf_keras.Model.train_step
        composes = self.hooks.in_step or (replicas.count() > 1 and keras_own)
        return ComposedStep(self.model, self.hooks) if composes else None

    def _all_state(self, generators: list[tf.Variable]) -> StageState:
        groups = {
            # The vocabulary of a lookup layer is among them, and is not a tensor.
            "weights": [variable for variable in self.model.variables if isinstance(variable, tf.Variable)],
            "optimizer": optimizer_state(self.model.optimizer),
            "metrics": [variable for metric in self.metrics for variable in metric.variables],
            "random": generators,
            "extra": self.hooks.variables,
        }
        return StageState(groups, self.model.variables, self.context.work, self._identity())

    def _restore(self) -> None:
        try:
            self.state.restore()
        except DamagedCheckpoint as error:
            message = f"{self.stage.name}: {error}; the stage starts again from its first step."
            self.context.emit(Warned(message))
        for entry in self.state.progress.history:
            self.context.emit(EpochFinished(self.stage.name, entry))

    def _save(self) -> None:
        self.last_save = perf_counter()
        self.state.save()

    def _epochs(self) -> None:
        first = len(self.state.progress.history)
        if first == self.stage.epochs or self.state.progress.stopped:
            return
        self.begun_with = self.step
        taken = self.begun_with - first * self.steps_per_epoch
        iterator = iter(self.batches(first, taken))
        for epoch in range(first, self.stage.epochs):
            self._steps(epoch, iterator)
            self._close_epoch(epoch + 1)
            self._save()
            if self.state.progress.stopped:
                break

    def _steps(self, epoch: int, iterator: Iterator[Nested]) -> None:
        end = (epoch + 1) * self.steps_per_epoch
        step = self.step
        if step == end - self.steps_per_epoch:
            for metric in self.metrics:
                metric.reset_state()
        while step < end:
            begun = perf_counter()
            try:
                result = self.step_runner.advance(iterator, self._decide(step, end) - step)
            except xla.UNCOMPILABLE as error:
                if not self.xla.compiled or self.step > self.begun_with:  # a step taken is compiled: the data are wrong
                    raise
                raise not_compiled(error) from error
            step += result.steps
            if not result.finite:
                raise not_finite(result.logs["loss"], epoch + 1, step, self.rate)
            if loss_scale.is_exhausted(self.model.optimizer):
                raise overflow_error(when(epoch + 1, step), None)
            progress = self.state.progress
            seconds = progress.seconds + perf_counter() - begun
            self.state.progress = replace(progress, logs=result.logs, seconds=seconds)
            self._show(epoch + 1, step)
            if workers.agree_in_training(perf_counter() - self.last_save > SECONDS_BETWEEN_CHECKPOINTS):
                self._save()

    def _decide(self, step: int, end: int) -> int:
        """Lets the hooks decide before the step that follows `step`; returns the step up to which none decides."""
        following = bisect_right(self.decision_steps, step + 1)
        if following and self.decision_steps[following - 1] == step + 1:
            self.hooks.before_step(step + 1)
        return min(end, self.decision_steps[following] - 1) if following < len(self.decision_steps) else end

    def _show(self, epoch: int, step: int) -> None:
        now = perf_counter()
        if now - self.last_sign < SECONDS_BETWEEN_SIGNS and step != self.total_steps:
            return
        self.last_sign = now
        self.context.emit(
            StepProgress(
                stage=self.stage.name,
                step=step,
                steps=self.total_steps,
                epoch=epoch,
                epochs=self.stage.epochs,
                metrics=dict(self.state.progress.logs),
                sparsity=self.hooks.sparsity(),
            )
        )

    def _close_epoch(self, epoch: int) -> None:
        begun = perf_counter()
        progress = self.state.progress
        self.hooks.project_weights()
        entry: dict[str, float] = {"epoch": epoch, "step": self.step, "seconds": 0.0, **progress.logs}
        if self.validator is not None:
            entry |= self.validator.measure()
        entry |= _of_only_output(entry, self.context.compile)
        if (sparsity := self.hooks.sparsity()) is not None:
            entry["sparsity"] = sparsity
        if (planned := self.hooks.planned_sparsity(self.step)) is not None:
            entry["planned_sparsity"] = planned
        entry["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))
        self.hooks.after_epoch(entry)
        entry["seconds"] = progress.seconds + perf_counter() - begun
        history = (*progress.history, entry)
        progress = replace(progress, history=history, logs={}, seconds=0.0, stopped=self.hooks.stops)
        self.state.progress = self._monitor(progress)
        if self.writer is not None:
            self.writer.write(entry)
        self.context.emit(EpochFinished(self.stage.name, entry))

    def _monitor(self, progress: Progress) -> Progress:
        """Lowers the rate on a plateau, and ends the stage where early stopping says so."""
        entry = progress.history[-1]
        epoch = int(entry["epoch"])
        if isinstance(self.rate, PlateauRate):
            key = self.rate.monitor
            value = monitored(key, entry, "learning_rate")
            plateau = progress.plateau.after(epoch, value, higher_is_better(key), PLATEAU_MIN_DELTA)
            if plateau.wait >= self.rate.patience:
                lower = max(self.rate.final, entry["learning_rate"] * self.rate.factor)
                self.model.optimizer.learning_rate.assign(lower)
                plateau = plateau.reset()
            progress = replace(progress, plateau=plateau)
        stopping = self.stage.early_stopping
        if stopping is not None and entry["step"] >= (self.hooks.early_stopping_from or 0):
            value = monitored(stopping.monitor, entry, "early_stopping")
            monitor = progress.stopping.after(epoch, value, higher_is_better(stopping.monitor), stopping.min_delta)
            if monitor.best_epoch == epoch and stopping.restore_best:
                self.state.best = [variable.numpy() for variable in self.model.variables]
            progress = replace(
                progress, stopping=monitor, stopped=progress.stopped or monitor.wait >= stopping.patience
            )
        return progress

    def _finish(self) -> dict[str, object]:
        progress, best = self.state.progress, self.state.best
        skipped = int(loss_scale.details(self.model.optimizer).get("skipped_steps", 0))
        if 2 * skipped > self.step:
            message = (
                f"{self.stage.name}: {skipped} of {self.step} steps changed no weight: gradients overflowed float16; "
                "train longer, or with precision: mixed_bfloat16."
            )
            self.context.emit(Warned(message))
        if best:
            assign(self.model.variables, best)
        elif self.model.optimizer.use_ema:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        self.hooks.project_weights()
        details = dict(self.hooks.details)
        if self.context.compile.xla is not None:
            details["xla"] = self.xla.details()
        if self.stage.early_stopping is not None:
            details["early_stopping"] = {
                "stopped_after": len(progress.history),
                "best_epoch": progress.stopping.best_epoch,
                "restored": bool(best),
            }
        return details

    def _identity(self) -> str:
        config = self.stage.model_dump(mode="json", exclude={"name"})
        compile_config = self.context.compile.model_dump(mode="json")
        parts = [config, compile_config, self.context.seed, self.context.batch_size, self.steps_per_epoch]
        if is_mixed(self.context.precision):
            parts.append(self.context.precision)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _of_only_output(entry: Mapping[str, float], compile: Compile) -> dict[str, float]:
    """Loss and metrics under the name of the only output, where a recipe names it: Keras names several only."""
    if len(compile.all_outputs) != 1:
        return {}
    (output,) = compile.all_outputs
    names = ("loss", *(metric.label for metric in compile.of(output).single_metrics))
    return {
        f"{split}{output}_{name}": entry[f"{split}{name}"]
        for split in ("", "val_")
        for name in names
        if f"{split}{name}" in entry
    }
