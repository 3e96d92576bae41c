"""The state of a running stage: what a checkpoint holds, saved and restored as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.devices import variables as replicated
from tfopt.backend.training.monitor import MetricMonitor
from tfopt.backend.training.precision.loss_scale import inner, loss_scale_state
from tfopt.backend.training.resume import checkpoint
from tfopt.backend.training.resume.checkpoint import Checkpoint, DamagedCheckpoint


@dataclass(frozen=True)
class Progress:
    """Everything about a running stage that is not a tensor; replaced as a whole, so it is always consistent.

    Args:
        history: entries of the finished epochs.
        logs: loss and metrics of the epoch in progress.
        seconds: time that the epoch in progress has taken so far.
        stopping: state of early stopping.
        plateau: state of reduce-on-plateau.
        stopped: early stopping has ended the stage.
    """

    history: tuple[Mapping[str, float], ...] = ()
    logs: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    stopping: MetricMonitor = field(default_factory=MetricMonitor)
    plateau: MetricMonitor = field(default_factory=MetricMonitor)
    stopped: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Progress:
        """From the result of `asdict` and JSON."""
        monitors = {key: MetricMonitor(**plain[key]) for key in ("stopping", "plateau")}
        return cls(**{**plain, **monitors, "history": tuple(plain["history"])})


@dataclass
class StageState:
    """State of one stage, and the file that it goes to.

    Args:
        groups: variables by kind (weights, optimizer, metrics, random, extra), in order.
        best_of: variables whose best values early stopping keeps.
        folder: where the checkpoint is.
        identity: differs between stages whose checkpoints must not be mixed up.
        progress: everything that is not a tensor.
        best: values of `best_of` at the best epoch; empty where they are not kept.
    """

    groups: Mapping[str, Sequence[tf.Variable]]
    best_of: Sequence[tf.Variable]
    folder: Path
    identity: str
    progress: Progress = field(default_factory=Progress)
    best: list[np.ndarray] = field(default_factory=list)

    def save(self) -> None:
        """Writes the checkpoint.

        Raises:
            StageError: it cannot be written.
        """
        # `value` first: in half the time of `numpy` alone, which counts where epochs are short.
        groups = {name: [variable.value().numpy() for variable in group] for name, group in self.groups.items()}
        plain = {"stage": self.identity, **asdict(self.progress)}
        checkpoint.write(self.folder, Checkpoint({**groups, "best": self.best}, plain))

    def restore(self) -> bool:
        """Reads the checkpoint, if there is one; all of it or, where it does not fit, nothing.

        Returns:
            Whether there was one.

        Raises:
            DamagedCheckpoint: it is not whole, or belongs to a different stage.
        """
        stored = checkpoint.read(self.folder)
        if stored is None:
            return False
        path = self.folder / checkpoint.FILE
        plain = dict(stored.state)
        if plain.pop("stage", None) != self.identity:
            raise DamagedCheckpoint(f"{path} belongs to another stage")
        best = list(stored.groups.get("best", ()))
        for name, variables in [*self.groups.items(), *([("best", self.best_of)] if best else [])]:
            arrays = stored.groups.get(name, ())
            if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
                raise DamagedCheckpoint(f"{path} holds other {name}")
        try:
            progress = Progress.from_plain(plain)
        except (TypeError, KeyError) as error:
            raise DamagedCheckpoint(f"{path} cannot be read ({error})") from error
        for name, variables in self.groups.items():
            assign(variables, stored.groups.get(name, ()))
        self.progress, self.best = progress, best
        return True


def optimizer_state(optimizer: tf_keras.optimizers.Optimizer) -> list[tf.Variable]:
    """All variables of an optimizer.

    tf_keras leaves two out of `variables`: the learning rate, which a plateau lowers, and Nadam's momentum product; and
    the state of a loss scale.
    """
    listed = list(optimizer.variables)
    known = {id(variable) for variable in listed}
    own = (value for _, value in sorted(vars(inner(optimizer)).items()) if isinstance(value, tf.Variable))
    return [*listed, *(variable for variable in own if id(variable) not in known), *loss_scale_state(optimizer)]


def assign(variables: Sequence[tf.Variable], arrays: Sequence[np.ndarray]) -> None:
    """Gives variables their values."""
    for variable, array in zip(variables, arrays, strict=True):
        replicated.assign(variable, array)
