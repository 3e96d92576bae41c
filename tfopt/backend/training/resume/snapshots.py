"""Weights of a stage at the end of chosen epochs, stored with its result for later stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.training.hooks import TrainingHook
from tfopt.backend.training.resume import checkpoint
from tfopt.backend.training.resume.checkpoint import DamagedCheckpoint
from tfopt.core.contracts.stage import SNAPSHOTS
from tfopt.errors import StageError

Snapshot = Sequence[tuple[tf.Variable, np.ndarray]]
"""Variables of a model, each with the value it had."""


class SnapshotHook(TrainingHook):
    """Writes the weights of a model at the end of chosen epochs.

    It writes before the epoch goes into the checkpoint, so that a stage which resumes after that epoch has them.

    Args:
        model: the model in training.
        epochs: the first is 1.
        work: `StageContext.work`.
    """

    def __init__(self, model: tf_keras.Model, epochs: Sequence[int], work: Path) -> None:
        self._model, self._epochs, self._work = model, epochs, work

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        if entry["epoch"] in self._epochs:
            arrays = {name: variable.numpy() for name, _, variable in _weights(self._model)}
            checkpoint.save(_path(self._work, int(entry["epoch"])), arrays)


def read(folder: Path, stage: str, epoch: int, model: tf_keras.Model) -> Snapshot:
    """The weights that `SnapshotHook` wrote, for the variables of a model with the same layers.

    Args:
        folder: store entry of the stage.
        stage: its name, for messages.
        epoch: the first is 1.
        model: free of wrappers; it is not changed.

    Raises:
        StageError: there are none of that epoch, or they are those of other layers.
    """
    path = _path(folder, epoch)
    if not path.is_file():
        raise StageError(
            f"{stage} has no weights of epoch {epoch} (it kept: {', '.join(map(str, kept(folder))) or 'none'}).",
            f"Early stopping has ended {stage} before: rewind to an earlier epoch, and name it in {stage}.keep too.",
            code="epoch_not_kept",
        )
    try:
        arrays = checkpoint.load(path)
    except DamagedCheckpoint as error:
        raise StageError(f"{error}.", "Run again with --fresh.", code="invalid_checkpoint") from error
    found: list[tuple[tf.Variable, np.ndarray]] = []
    for name, layer, variable in _weights(model):
        array = arrays.pop(name, None)
        if array is None or array.shape != tuple(variable.shape):
            before = "did not have it" if array is None else f"had it with the shape {array.shape}"
            raise _misfit(
                stage, epoch, f"layer {layer} has a weight of shape {tuple(variable.shape)}, but {before} then"
            )
        found.append((variable, array))
    if arrays:
        layer = next(iter(arrays)).rpartition("/")[0]
        raise _misfit(stage, epoch, f"layer {layer} had more weights then than it has now")
    return found


def kept(folder: Path) -> list[int]:
    """The epochs of which a store entry has the weights, in order."""
    return sorted(int(one.stem.removeprefix("epoch_")) for one in (folder / SNAPSHOTS).glob("epoch_*.npz"))


def _misfit(stage: str, epoch: int, what: str) -> StageError:
    return StageError(
        f"the weights of epoch {epoch} of {stage} are not those of this model: {what}.",
        "Rewind to a stage after which the layers stay the same.",
        code="invalid_checkpoint",
    )


def _path(folder: Path, epoch: int) -> Path:
    return folder / SNAPSHOTS / f"epoch_{epoch}.npz"


def _weights(model: tf_keras.Model) -> Iterator[tuple[str, str, tf.Variable]]:
    """Name, layer path and variable of each weight. Variables' own names change when a model is loaded."""
    for path, layer in layer_paths(model):
        yield from ((f"{path}/{index}", path, variable) for index, variable in enumerate(layer.weights))
