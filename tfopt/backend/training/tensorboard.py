"""TensorBoard logs of a stage, in the layout of Keras' own callback."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from tfopt.errors import EnvironmentProblem

_NOT_PLOTTED = ("epoch", "step", "seconds")


class EpochWriter:
    """Writes every epoch's figures: training ones to `train/`, `val_` ones to `validation/`.

    Args:
        folder: where the logs go.

    Raises:
        EnvironmentProblem: the package tensorboard, which TensorFlow's summaries need, is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise EnvironmentProblem(
                "tensorboard: true needs the package tensorboard, which is not installed.",
                "Install it with: pip install 'tfopt[tensorboard]'.",
                code="missing_package",
            )
        self._writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def write(self, entry: Mapping[str, float]) -> None:
        """Writes one history entry."""
        for name, writer in self._writers.items():
            with writer.as_default(step=int(entry["epoch"])):
                for key, value in entry.items():
                    if key not in _NOT_PLOTTED and key.startswith("val_") == (name == "validation"):
                        tf.summary.scalar(f"epoch_{key.removeprefix('val_')}", value)
            writer.flush()
