"""Checks and normalizes what a source returned: dtypes, labels, lengths, finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tfopt.backend.data.arrays.reading import in_memory, is_in_memory, named
from tfopt.backend.data.arrays.views import ChangedRows, LazyArray, extremes, of_type
from tfopt.backend.data.splits import Split, num_examples
from tfopt.backend.types import Array, ExampleArray, ExampleArrays
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

NO_TARGET = -1
"""In sequences and maps of labels: nothing is to be predicted here. The loss must ignore it (`ignore_class: -1`)."""
_LABEL = 64
"""Bytes of a target from which on it can be left where it is."""
_TYPES = {
    "bool": "float32",
    "float64": "float32",
    "float16": "float32",
}
"""Types that become others."""
NEEDS_TEXT = "Texts need a data.text block, such as text: {tokenizer: {kind: wordpiece}, length: 32}."
"""What to do where a source returns texts and the recipe does not say how they become numbers."""


def inputs_of(x: object, source: str, split: str) -> ExampleArrays:
    """Inputs as numbers: float64, float16 and bool become float32, int64 becomes int32; the rest stays as it is."""
    label = f"{source}, {split} split: inputs"
    if isinstance(x, Mapping):
        return {str(name): _numeric(part, label) for name, part in x.items()}
    return _numeric(x, label)


def targets_of(y: object, source: str, split: str) -> ExampleArrays:
    """Targets: integers and text stay, (n, 1) labels become (n,); quantities become float32 of at least two axes.

    Maps and boxes that are not in memory stay where they are; labels and a few quantities are read.

    Raises:
        StageError: there are none.
    """
    if y is None:
        raise StageError(
            f"{source}, {split} split: there are no targets.",
            "Name them (args: {target: column} for .csv), or set data.targets: inputs to reproduce the inputs.",
            code="data_missing",
        )

    def tidy(part: object) -> ExampleArray:
        if isinstance(part, LazyArray | np.memmap) and part.dtype.kind not in "SU" and part.nbytes > _LABEL * len(part):
            lazy = _numeric(part, f"{source}, {split} split: targets")
            return lazy if lazy.dtype.kind == "f" else of_type(lazy, np.dtype(np.int32))
        array = np.asarray(part)
        if array.dtype.kind in "OSU":
            return _squeezed(array.astype(str))
        array = in_memory(_numeric(array, f"{source}, {split} split: targets"))  # no copy: it is in memory
        if array.dtype.kind == "f":
            # (n,) against an output (n, 1) would broadcast to (n, n) in any hand-written difference.
            return array[:, np.newaxis] if array.ndim == 1 else array
        return _squeezed(array.astype(np.int32))

    if isinstance(y, Mapping) and len(y) == 1:
        y = next(iter(y.values()))
    elif isinstance(y, tuple) and y and all(getattr(part, "shape", ()) for part in y) and len(y) != len(y[0]):
        y = {f"target {number}": part for number, part in enumerate(y, 1)} if len(y) > 1 else y[0]
    return _each(y, tidy)


def class_ids(splits: Mapping[str, Split], source: str) -> tuple[dict[str, Split], tuple[str, ...] | None]:
    """Text labels as ids, in the alphabetical order of the training split's classes.

    Returns:
        The splits, and the class names; None where the labels are no text.

    Raises:
        StageError: a different split has a class that training lacks.
    """
    targets = splits["train"].targets
    if isinstance(targets, dict) or targets.dtype.kind != "U":
        return dict(splits), None
    names = np.unique(np.asarray(targets))
    for name, split in splits.items():
        strange = np.setdiff1d(np.asarray(split.targets).astype(str), names)
        if strange.size:
            raise StageError(
                f"{source}, {name} split: the class {str(strange[0])!r} does not occur in training.",
                code="invalid_data",
            )
    ids = {
        name: replace(split, targets=np.searchsorted(names, np.asarray(split.targets)).astype(np.int32))
        for name, split in splits.items()
    }
    return ids, tuple(map(str, names))


def class_ids_by_output(
    splits: Mapping[str, Split], source: str
) -> tuple[dict[str, Split], dict[str, tuple[str, ...]]]:
    """As `class_ids`, for the targets of each output.

    Returns:
        The splits, and the class names of the outputs whose labels are text.

    Raises:
        StageError: a different split has a class that training lacks.
    """
    found = {name: dict(split.targets) for name, split in splits.items() if isinstance(split.targets, dict)}
    names: dict[str, tuple[str, ...]] = {}
    for output in found["train"]:
        alone = {
            name: replace(splits[name], targets=targets[output]) for name, targets in found.items() if output in targets
        }
        ids, classes = class_ids(alone, f"{source}, targets {output}")
        if classes is not None:
            names[output] = classes
            for name, split in ids.items():
                found[name][output] = np.asarray(split.targets)
    return {**splits, **{name: replace(splits[name], targets=targets) for name, targets in found.items()}}, names


def num_classes_of(splits: Mapping[str, Split], names: tuple[str, ...] | None) -> int | None:
    """Number of classes; None where the targets are no labels.

    Args:
        splits: `train` and others, after `class_ids`.
        names: of the classes, as `class_ids` returned them.
    """
    if names is not None:
        return len(names)
    targets = splits["train"].targets
    if isinstance(targets, dict) or targets.dtype.kind not in "iu" or not targets.nbytes:
        return None
    if targets.ndim == 1:
        return extremes(targets)[1] + 1
    # Tokens: one that only the test split has is rare, not wrong.
    return max(extremes(split.targets)[1] for split in splits.values() if not isinstance(split.targets, dict)) + 1


def labels_to_stratify(targets: ExampleArrays, num_classes: int | None) -> Array | None:
    """The class of each example; None where examples do not have one class each."""
    if num_classes is None or isinstance(targets, dict) or targets.ndim != 1:
        return None
    return in_memory(targets, "The labels")


def check_split(split: Split, train: Split, num_classes: int | None, what: str) -> None:
    """Everything that would make training fail late, or silently wrong.

    Args:
        split: what to check.
        train: whose shapes and classes count.
        num_classes: number of classes, or None where targets are no labels.
        what: source and split, for the error.

    Raises:
        StageError: with the numbers.
    """
    n = len(split)
    if n == 0:
        raise StageError(f"{what}: there are no examples.", code="data_missing")
    for kind, arrays, reference in (("inputs", split.inputs, train.inputs), ("targets", split.targets, train.targets)):
        if _names(arrays) != _names(reference):
            raise StageError(
                f"{what}: the {kind} are {_names(arrays)}, those of training {_names(reference)}.", code="invalid_data"
            )
        for name, array in named(arrays).items():
            label = f"{what}: {kind} {name}".rstrip()
            if len(array) != n:
                raise StageError(
                    f"{label} has {counted(len(array), 'example')}, but there are {n} of {_first(split.inputs)}.",
                    code="invalid_data",
                )
            expected = named(reference)[name].shape[1:]
            if array.shape[1:] != expected:
                raise StageError(
                    f"{label} has examples of shape {array.shape[1:]}, those of training {expected}.",
                    code="invalid_data",
                )
            check_finite(array, label)
    if num_classes is not None and not isinstance(split.targets, dict):
        _check_labels(split.targets, num_classes, what)
    if isinstance(split.targets, dict) and isinstance(train.targets, dict):
        for name, labels in split.targets.items():
            known = train.targets[name]
            if labels.dtype.kind in "iu" and known.dtype.kind in "iu" and known.nbytes:
                # Of labels of pixels and tokens, one that only another split has is rare, not wrong.
                most = max(extremes(known)[1], extremes(labels)[1] if labels.ndim > 1 else 0) + 1
                _check_labels(labels, most, f"{what}: targets {name}")


def check_finite(array: ExampleArray, label: str) -> None:
    """Refuses NaN and infinite values; arrays that are not in memory were checked when they were read first.

    Raises:
        StageError: with the number of values, and the first example.
    """
    if not is_in_memory(array):
        return
    if array.dtype.kind != "f":
        return
    # The sum is not finite if any value is not; it needs no second array of the same size.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(array)
    rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1))
    if rows.size:
        raise StageError(
            f"{label}: {counted(int(bad.sum()), 'value')} NaN or infinite, in {rows.size} of "
            f"{counted(len(array), 'example')}, first in example {int(rows[0])}.",
            "Repair or remove these examples.",
            code="invalid_data",
        )


def _check_labels(labels: ExampleArray, num_classes: int, what: str) -> None:
    low, high = extremes(labels)
    if labels.ndim > 1 and low == NO_TARGET:
        low = 0
    if low < 0:
        hint = "Labels count classes from 0" + (": write 0 for -1, for hinge losses too." if low == -1 else ".")
        raise StageError(f"{what}: the smallest label is {low}.", hint, code="invalid_data")
    if high >= num_classes:
        raise StageError(
            f"{what}: the largest label is {high}, but those of training go from 0 to {num_classes - 1}.",
            code="invalid_data",
        )


def _numeric(value: object, label: str) -> ExampleArray:
    """Numbers of a type that Keras and TFLite take; arrays that are not in memory are not read."""
    if isinstance(value, LazyArray | np.memmap):
        if value.dtype.kind not in "biuf" or value.ndim == 0:
            raise StageError(
                f"{label} has dtype {value.dtype} and shape {value.shape}.",
                "Expected numbers with one row per example.",
                code="invalid_data",
            )
        if value.dtype.name in ("int64", "uint64", "uint32"):
            return ChangedRows(value, lambda part: as_int32(part, label), np.dtype(np.int32), label="as int32")
        return of_type(value, np.dtype(_TYPES.get(value.dtype.name, value.dtype)))
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise StageError(
            f"{label} is not an array: {error}.", "Pad or resize the examples to one shape.", code="invalid_data"
        ) from error
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        texts = array.dtype.kind in "US" or (array.dtype == object and isinstance(next(array.flat, None), str))
        raise StageError(
            f"{label} has dtype {array.dtype} and shape {array.shape}.",
            NEEDS_TEXT if texts else "Expected numbers with one row per example.",
            code="invalid_data",
        )
    if array.dtype.kind == "b" or array.dtype in (np.float64, np.float16):
        return array.astype(np.float32)
    if array.dtype in (np.int64, np.uint64, np.uint32):
        return as_int32(array, label)
    return array


def as_int32(array: Array, label: str) -> Array:
    """Whole numbers in 32 bits.

    Raises:
        StageError: one does not fit.
    """
    if array.size and (array.max() > np.iinfo(np.int32).max or array.min() < np.iinfo(np.int32).min):
        raise StageError(
            f"{label}: {array.max()} does not fit 32 bits.",
            "TFLite and Keras expect int32 or float32.",
            code="invalid_data",
        )
    return array.astype(np.int32)


def _squeezed(array: Array) -> Array:
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _each(value: object, work: Callable[[object], ExampleArray]) -> ExampleArrays:
    return {str(name): work(part) for name, part in value.items()} if isinstance(value, Mapping) else work(value)


def _names(arrays: ExampleArrays) -> str:
    return f"named {', '.join(sorted(arrays))}" if isinstance(arrays, dict) else "one array"


def _first(inputs: ExampleArrays) -> str:
    return f"the input {next(iter(inputs))!r}" if isinstance(inputs, dict) else f"inputs ({num_examples(inputs)})"
