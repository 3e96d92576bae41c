"""Names of classes: from the recipe, from a file next to it, or from the data source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.backend.bundle.metadata.content import LABELS
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import ExportError


def read_labels(labels: str | Sequence[str], folder: Path) -> tuple[str, ...]:
    """The labels of a recipe.

    Args:
        labels: names, or a text file with one in each line.
        folder: where a relative path begins.

    Raises:
        ExportError: the file cannot be read, a label is empty, or two are equal.
    """
    names = tuple(labels) if not isinstance(labels, str) else _lines(folder / Path(labels).expanduser())
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise ExportError(f"Label {number} of {len(names)} is empty.", code="invalid_name")
        if "\n" in name:
            raise ExportError(f"Label {number} ({name!r}) has more than one line.", code="invalid_name")
        if name in names[: number - 1]:
            raise ExportError(f"Labels {names.index(name) + 1} and {number} are both {name!r}.", code="duplicate_name")
    return names


def _lines(file: Path) -> tuple[str, ...]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ExportError(
            f"The labels cannot be read from {file}: {reason}.",
            "Give a text file with one label in each line (a relative path starts at the recipe), or a list.",
            code="cannot_read",
        ) from error
    return tuple(line.strip() for line in text.rstrip().split("\n"))


def labels_of_outputs(
    labels: str | Sequence[str] | Mapping[str, str | Sequence[str]], sizes: Mapping[str, int | None], folder: Path
) -> dict[str, tuple[str, ...]]:
    """The labels of each output that has some, by its name.

    Args:
        labels: of a recipe: of the outputs that they fit, or by output.
        sizes: length of the last axis by output; None where it is open.
        folder: where a relative path begins.

    Raises:
        ExportError: labels cannot be read or used, fit no output, or are of an output that the model lacks.
    """
    if not isinstance(labels, Mapping):
        return fitting(read_labels(labels, folder), sizes)
    found: dict[str, tuple[str, ...]] = {}
    for output, names in labels.items():
        if output not in sizes:
            guess = closest(output, sizes) or f" Its outputs are {', '.join(sizes)}."
            raise ExportError(
                f"Labels are of {output!r}, which is no output of the model.{guess}", code="unknown_output"
            )
        found |= fitting(read_labels(names, folder), {output: sizes[output]})
    return found


def fitting(labels: Sequence[str], sizes: Mapping[str, int | None]) -> dict[str, tuple[str, ...]]:
    """The labels by output: those outputs whose last axis has one value for each.

    Two labels fit a single value too, which is the probability of the second, where the model has no other output.

    Args:
        labels: names of classes.
        sizes: length of the last axis by output; None where it is open.

    Raises:
        ExportError: no output has as many values.
    """
    outputs = labelled_outputs(len(labels), sizes)
    if not outputs:
        raise ExportError(f"{_misfit(len(labels), sizes)}.", code="incompatible_shapes")
    return dict.fromkeys(outputs, tuple(labels))


def labelled_outputs(count: int, sizes: Mapping[str, int | None]) -> tuple[str, ...]:
    """The outputs that a number of labels fits, as `fitting` says it; none where it fits none."""
    if count == 2 and list(sizes.values()) == [1]:
        return tuple(sizes)
    return tuple(name for name, size in sizes.items() if size == count)


def files_of(labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name of the file with the labels of each output: one file where all outputs have the same.

    Args:
        labels: by output.
    """
    if len({tuple(names) for names in labels.values()}) < 2:
        return dict.fromkeys(labels, LABELS)
    stem, dot, end = LABELS.partition(".")
    return {output: f"{stem}_{output}{dot}{end}" for output in labels}


def _misfit(count: int, sizes: Mapping[str, int | None]) -> str:
    """What is wrong with a number of labels."""
    there = f"There {'is' if count == 1 else 'are'} {counted(count, 'label')}"
    if len(sizes) == 1:
        ((name, size),) = sizes.items()
        values = "a last axis of any length" if size is None else counted(size, "value")
        return f"{there}, but the output {name!r} has {values}"
    each = ", ".join(f"{name}: {size}" for name, size in sizes.items())
    return f"{there}, but no output has as many values ({each})"
