"""ModelOutputs of teachers to every training example, computed once and kept as long as the stage is at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from tfopt.backend.data.splits import Split
from tfopt.backend.distillation.teachers import TeacherEnsemble
from tfopt.backend.training.resume import checkpoint
from tfopt.backend.training.resume.checkpoint import DamagedCheckpoint

FILE = "teacher.npz"
_SECONDS = "seconds"


def cached_outputs(
    ensemble: TeacherEnsemble, splits: Sequence[Split], work: Path, warn: Callable[[str], None]
) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """The outputs of the teachers for every example of some splits, in their order.

    They are stored in the work folder, so that a stage that was interrupted does not compute them again. That folder
    is the stage's own, named by its key, which depends on the teachers and the data; it is removed when the stage is
    in the store.

    Args:
        ensemble: the teachers.
        splits: the training split, or each variant of it.
        work: `StageContext.work`.
        warn: receives a message about a damaged file, which is computed again.

    Returns:
        Outputs of each teacher, outputs of the compared layers, and how many seconds a pass took, possibly before an
        interruption.
    """
    path = work / FILE
    if path.is_file():
        try:
            arrays = checkpoint.load(path)
            return *_sorted(arrays), float(arrays[_SECONDS])
        except DamagedCheckpoint as error:
            warn(f"{error}; the teacher's outputs are computed again.")
    begun = perf_counter()
    each = [ensemble.predict_all(split) for split in splits]
    outputs, features = (
        [np.concatenate(parts) for parts in zip(*kind, strict=True)] for kind in zip(*each, strict=True)
    )
    seconds = (perf_counter() - begun) / len(splits)
    named = {f"output/{index}": array for index, array in enumerate(outputs)}
    named |= {f"feature/{index}": array for index, array in enumerate(features)}
    checkpoint.save(path, named | {_SECONDS: np.asarray(seconds)})
    return outputs, features, seconds


def _sorted(arrays: dict[str, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    outputs, features = (
        [arrays[f"{name}/{index}"] for index in range(sum(key.startswith(name) for key in arrays))]
        for name in ("output", "feature")
    )
    return outputs, features
