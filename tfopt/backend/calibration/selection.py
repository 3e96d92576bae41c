"""The training examples that a `.tflite` file is calibrated with: random, balanced over classes, or selected by own
code. Only the training split is ever read."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from tfopt.backend.calibration.own_selection import selected_by_function
from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.drawing import random_order
from tfopt.backend.data.labels import is_one_hot
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.types import Array, ExampleArrays
from tfopt.core.config.files.calibration import BALANCED, Calibration
from tfopt.errors import StageError


def calibration_split(data: Data, calibration: Calibration, seed: int) -> Split:
    """The examples of the training split that a file is calibrated with.

    Args:
        data: the splits.
        calibration: how many, and which.
        seed: of the draw.

    Returns:
        As many as asked for, or all there are; of the user's own function, what it returns.

    Raises:
        StageError: `balanced` without class labels, or with fewer examples than classes; the function fails or returns
            what cannot be used.
    """
    if calibration.function is not None:
        return selected_by_function(calibration.function, data)
    if calibration.select == BALANCED:
        return data.train.select(_balanced(data, calibration.examples, seed))
    return data.train.take(calibration.examples, seed)


def labels_of(targets: ExampleArrays) -> Array | None:
    """The class of each example, shape (examples,); None where targets are no classes.

    Args:
        targets: integers or 0/1, (examples,) or (examples, 1), or one-hot, (examples, classes); of several outputs, the
            first with classes counts.
    """
    if isinstance(targets, dict):
        return next((labels for each in targets.values() if (labels := labels_of(each)) is not None), None)
    if not targets.nbytes:
        return None
    targets = in_memory(targets, "The targets")
    if is_one_hot(targets) and targets.ndim == 2:
        found: Array = targets.argmax(axis=1)
        return found
    flat = targets.reshape(-1) if targets.shape[1:] in ((), (1,)) else None
    if flat is None or not (flat.dtype.kind in "iub" or np.isin(flat, (0, 1)).all()):
        return None
    return flat.astype(np.int64)


def _balanced(data: Data, examples: int, seed: int) -> Array:
    """Positions in the training split, one of each class in turn; a class that runs out is filled up by the others."""
    labels = labels_of(data.train.targets)
    if labels is None:
        raise StageError(
            "select: balanced needs one class for each example, but the targets of the training split are no classes.",
            "Use select: random, or a function of your own: package.module:function.",
            code="not_classes",
        )
    order = random_order(len(labels), seed)
    classes = np.unique(labels)
    if examples < len(classes):
        raise StageError(
            f"select: balanced needs an example of each of the {len(classes)} classes at least. Got examples: "
            f"{examples}.",
            f"Use examples: {len(classes)} or more.",
            code="too_few_examples",
        )
    in_turn = zip_longest(*(order[labels[order] == label] for label in classes))
    positions = [position for turn in in_turn for position in turn if position is not None]
    return np.array(positions[:examples])
