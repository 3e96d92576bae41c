"""Callbacks of the user's own, of either Keras, as a hook of the training loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tfopt.backend.training.hooks import TrainingHook, TrainingSetup
from tfopt.catalog import references
from tfopt.catalog.guard import guarded
from tfopt.core.config.training.callbacks import OwnCallback
from tfopt.errors import StageError

if TYPE_CHECKING:
    import tf_keras

_BATCH = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
_NO_METRICS = ("epoch", "step", "seconds")


def own_callback(named: OwnCallback) -> tf_keras.callbacks.Callback:
    """The callback that a recipe names as `package.module:name`.

    Args:
        named: a subclass of `Callback` of either Keras with its arguments, or a function of (epoch, metrics).

    Raises:
        StageError: there is no such code, it fails, or it is neither.
    """
    code, arguments = references.named(named.name), named.arguments()
    if not inspect.isclass(code) and not hasattr(code, "on_epoch_end"):
        if len(inspect.signature(code).parameters) == 2 and not arguments:
            return _AfterEpoch(code)
        references.check_arguments(code, named.name, arguments)
        code = guarded(lambda: code(**arguments), named.name)
    elif inspect.isclass(code):
        references.check_arguments(code, named.name, arguments)
        code = guarded(lambda: code(**arguments), named.name)
    if not hasattr(code, "on_epoch_end"):
        raise StageError(
            f"{named.name} is no callback: it is a {type(code).__name__}.",
            "Expected a subclass of keras.callbacks.Callback, or a function of (epoch, metrics).",
            code="unusable_code",
        )
    return code


class _AfterEpoch:
    """A function that is called when an epoch has ended."""

    def __init__(self, function: Callable[[int, Mapping[str, float]], object]) -> None:
        self.on_epoch_end = function


class OwnCallbacks(TrainingHook):
    """Calls callbacks at the moments at which Keras would; `model.stop_training = True` ends the stage.

    Batches are announced one by one only where a callback asks for them: that takes more time. A stage that resumes
    makes new callbacks, and goes on with the epoch that it was in.

    Args:
        named: the callbacks of the stage.
        epochs: of the stage.
    """

    def __init__(self, named: Sequence[OwnCallback], epochs: int) -> None:
        self.callbacks = [(one.name, own_callback(one)) for one in named]
        self.epochs = epochs
        self._steps: Sequence[int] = ()

    @property
    def decision_steps(self) -> Sequence[int]:
        return self._steps

    @property
    def stops(self) -> bool:
        return bool(getattr(self.model, "stop_training", False))

    def start(self, setup: TrainingSetup) -> None:
        self.model, self.per_epoch = setup.model, setup.steps_per_epoch
        self.model.stop_training = False
        self.by_batch = any(_overrides(callback, _BATCH) for _, callback in self.callbacks)
        self._steps = range(1, setup.total_steps + 1, 1 if self.by_batch else setup.steps_per_epoch)
        self._open_batch: int | None = None
        self._tell("set_params", {"epochs": self.epochs, "steps": setup.steps_per_epoch, "verbose": 0})
        self._tell("set_model", setup.model)
        self._tell("on_train_begin", {})

    def before_step(self, step: int) -> None:
        epoch, batch = divmod(step - 1, self.per_epoch)
        self._end_batch()
        if batch == 0:
            self._tell("on_epoch_begin", epoch, {})
        if self.by_batch:
            self._tell("on_train_batch_begin", batch, {})
            self._open_batch = batch

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        self._end_batch()
        metrics = {name: value for name, value in entry.items() if name not in _NO_METRICS}
        self._tell("on_epoch_end", int(entry["epoch"]) - 1, metrics)

    def end(self) -> None:
        self._tell("on_train_end", {})

    def _end_batch(self) -> None:
        if self._open_batch is not None:
            batch, self._open_batch = self._open_batch, None
            self._tell("on_train_batch_end", batch, {})

    def _tell(self, moment: str, *arguments: object) -> None:
        for name, callback in self.callbacks:
            if (method := getattr(callback, moment, None)) is not None:
                guarded(partial(method, *arguments), f"{name} ({moment})")


def _overrides(callback: object, moments: Sequence[str]) -> bool:
    """Whether a class of the user, not one of Keras, has one of these methods."""
    return any(
        moment in vars(base) and base.__module__.split(".")[0] not in ("keras", "tf_keras")
        for base in type(callback).__mro__
        for moment in moments
    )
