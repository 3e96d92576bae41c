"""The `data` block of a recipe, executed: examples checked, put where they stay, cut into three splits.

The test split is used for the final metrics only: training, early stopping and calibration use `train` and
`validation` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from tfopt.backend.data import sources
from tfopt.backend.data.arrays.reading import parts
from tfopt.backend.data.arrays.views import largest
from tfopt.backend.data.caching.kept import kept
from tfopt.backend.data.caching.spool import Spools
from tfopt.backend.data.checks import (
    check_split,
    class_ids,
    class_ids_by_output,
    inputs_of,
    labels_to_stratify,
    num_classes_of,
    targets_of,
)
from tfopt.backend.data.cut import SHARES, cut
from tfopt.backend.data.labels import is_one_hot
from tfopt.backend.data.per_example.keys import with_keys, with_keys_of_files
from tfopt.backend.data.per_example.weights import with_own_weights, with_weights
from tfopt.backend.data.several_inputs import are_by_position, by_position
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.data.texts import load_texts
from tfopt.backend.types import ExampleArray, ExampleArrays
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

__all__ = ["Data", "Split", "calibration_examples", "class_weights", "load", "steps_per_epoch"]


def load(config: DataConfig, folder: Path = Path(), cache: Path | None = None) -> Data:
    """Reads the source, checks every example, and makes the declared splits.

    Args:
        config: the recipe's `data` block.
        folder: folder of the recipe, where relative paths begin.
        cache: folder of decoded examples and of what is known of them; None for a temporary one.

    Returns:
        Train, validation and test, float64 inputs as float32, labels as int32.

    Raises:
        StageError: the source fails, or returns unusable data: empty, of different lengths, not finite, labels
            out of range.
        EnvironmentProblem: an entry point fails, or a file must be downloaded and cannot.
    """
    if config.text is not None:
        return load_texts(config, config.text, folder)
    prepared = sources.read(config, folder, Spools(config.cache, cache))
    raw, anchors = prepared.splits, prepared.anchors
    names: tuple[str, ...] | None = None
    names_of_outputs: dict[str, tuple[str, ...]] = {}
    reproduce = config.targets == "inputs"
    to_cut = not raw.keys() >= SHARES.keys()
    splits: dict[str, Split] = {}
    given: dict[str, ExampleArrays] = {}
    for name, examples in raw.items():
        x, y = examples.inputs, examples.targets
        given[name] = inputs_of(by_position(x, y), config.source, name)
        targets = given[name] if reproduce else targets_of(y, config.source, name)
        anomalies = prepared.anomalies if name == "test" else None
        what = f"{config.source}, {name} split"
        split = with_weights(Split(given[name], targets, anomalies, keys=examples.keys), examples.weights, what)
        root = folder / Path(config.source).expanduser()
        with_files = to_cut and name == "train"
        splits[name] = with_keys_of_files(split, config.splits, root, what) if with_files else split
    splits, record = kept(splits, config, cache)
    if not reproduce:
        splits, names_of_outputs = (
            class_ids_by_output(splits, config.source) if isinstance(splits["train"].targets, dict) else (splits, {})
        )
        splits, names = class_ids(splits, config.source)
    train = splits["train"]
    num_classes = None if reproduce else num_classes_of(splits, names)
    if num_classes is not None:  # a class that occurs nowhere has an output too
        num_classes = max(num_classes, len(prepared.label_names or ()))
    for name, split in splits.items():
        check_split(split, train, num_classes, f"{config.source}, {name} split")
    if config.sample_weights is not None:
        splits = with_own_weights(splits, config.sample_weights, folder)
    labels = labels_to_stratify(train.targets, num_classes)
    if to_cut:
        splits["train"] = with_keys(splits["train"], config.splits, folder, config.source)
    made = splits if prepared.is_cut else cut(splits, config.splits, config.seed, config.source, labels)
    settings = f"splits {config.splits.model_dump_json()} seed {config.seed} targets {config.targets}"
    return Data(
        train=made["train"],
        validation=made["validation"],
        test=made["test"],
        source=config.source,
        settings=settings if anchors is None else f"{settings} {anchors} {prepared.label_names}",
        num_classes=num_classes,
        class_names=names,
        classes_of_outputs=names_of_outputs,
        preprocessing=prepared.preprocessing,
        positional=are_by_position(raw["train"].inputs, raw["train"].targets),
        raw=prepared.raw or sources.raw_inputs(config, folder),
        cache=record,
        remembered=None if cache is None else cache / "fingerprints",
        label_names=None if reproduce else names or prepared.label_names or sources.label_names(config, folder),
        anchors=anchors,
    )


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Optimizer steps in one pass over `n` examples; the last, partial batch counts."""
    return -(-n // batch_size)


def calibration_examples(data: Data, n: int, seed: int) -> Split:
    """Examples that quantization computes its ranges from: of the training split only.

    Args:
        data: the splits.
        n: how many; all there are if that is less (the plan warns).
        seed: of the draw.
    """
    return data.train.take(n, seed)


def class_weights(
    targets: ExampleArrays, setting: Literal["balanced"] | Mapping[int, float] | None, ignored: int | None = None
) -> dict[int, float] | None:
    """Weight of each class in the loss, for Keras' `class_weight`.

    Args:
        targets: of the training split: labels (n, ...), one for each example or pixel; or one-hot (n, ..., classes).
        setting: `balanced` (labels / (classes * labels of the class), as scikit-learn does; a class without
            labels weighs 1), a mapping (classes left out weigh 1), or None.
        ignored: label that the loss leaves out; None where it leaves out none.

    Returns:
        A weight for every class from 0 to the largest label, or None.

    Raises:
        StageError: the targets are no classes, or the mapping names a class that does not exist.
    """
    if setting is None:
        return None
    if isinstance(targets, dict) or not _are_classes(targets):
        raise StageError(
            "class_weights needs one class per example, or per pixel.",
            "Remove class_weights: these targets are no labels.",
            code="incompatible_loss",
        )
    if targets.ndim == 2 and targets.shape[1] == 1:
        raise StageError(
            "class_weights needs classes, but the targets are quantities.",
            "Remove class_weights.",
            code="incompatible_loss",
        )
    labels = targets.dtype.kind in "iu"
    counts = np.zeros(largest(targets) + 1 if labels else targets.shape[-1], np.int64)
    for part in parts(targets):
        found = part[(part >= 0) & (part != ignored)] if labels else part.argmax(axis=-1).reshape(-1)
        counts += np.bincount(found, minlength=len(counts))
    if labels:  # as many as there are classes that count
        counts = counts[: int(np.flatnonzero(counts)[-1]) + 1] if counts.any() else counts[:1]
    if setting == "balanced":
        classes = np.count_nonzero(counts)
        return {k: float(counts.sum() / (classes * count)) if count else 1.0 for k, count in enumerate(counts)}
    unknown = [key for key in setting if key not in range(len(counts))]
    if unknown:
        raise StageError(
            f"class_weights names class {unknown[0]}, but the labels go from 0 to {len(counts) - 1}.",
            code="incompatible_loss",
        )
    return {k: float(setting.get(k, 1.0)) for k in range(len(counts))}


def _are_classes(targets: ExampleArray) -> bool:
    if targets.dtype.kind in "iu":
        return targets.ndim == 1 or targets.shape[-1] != 1
    return targets.ndim == 2 or is_one_hot(targets)
