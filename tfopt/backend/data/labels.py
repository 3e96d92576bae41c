"""Targets that are labels: classes by number, or one-hot."""

from __future__ import annotations

import numpy as np

from tfopt.backend.data.arrays.reading import is_in_memory, named, parts
from tfopt.backend.types import Array, ExampleArray, ExampleArrays


def is_one_hot(targets: ExampleArray) -> bool:
    """Whether each example has a single 1 among zeros along the last of at least two axes."""
    if targets.ndim < 2 or targets.shape[-1] < 2:
        return False
    return all(np.isin(part, (0, 1)).all() and (part.sum(axis=-1) == 1).all() for part in parts(targets))


def most_frequent(targets: ExampleArrays) -> dict[str, float]:
    """The share of the examples with the most frequent label: the accuracy of a model that always answers the same.

    Args:
        targets: of a split. Those that are not in memory are not read.

    Returns:
        By output name, "" for a single target; without the outputs that have more or less than one label per example.
    """
    return {name: share for name, array in named(targets).items() if (share := _share(array)) is not None}


def _share(targets: ExampleArray) -> float | None:
    labels = _labels(targets)
    if labels is None or not len(labels):
        return None
    _, counts = np.unique(labels, return_counts=True)
    return float(counts.max() / counts.sum())


def _labels(targets: ExampleArray) -> Array | None:
    """One label per example, (n,); None where targets are something else."""
    if not is_in_memory(targets):
        return None
    if targets.ndim == 2 and is_one_hot(targets):
        return targets.argmax(axis=-1)
    if targets.ndim != 1 and targets.shape[1:] != (1,):
        return None
    flat = targets.reshape(-1)
    return flat if targets.dtype.kind in "iu" or bool(np.isin(flat, (0, 1)).all()) else None
