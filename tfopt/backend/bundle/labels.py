"""Names of classes: from the recipe, from a file beside it, or from the data source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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


def labelled_outputs(count: int, sizes: Mapping[str, int | None]) -> tuple[str, ...]:
    """Outputs whose last axis has one value for each label.

    Args:
        count: number of labels.
        sizes: length of the last axis by output; None where it is open.
    """
    return tuple(name for name, size in sizes.items() if size == count)


def misfit(count: int, sizes: Mapping[str, int | None]) -> str | None:
    """What is wrong with a number of labels, as the end of a sentence; None where it fits an output.

    Two labels fit a single value too, which is the probability of the second.
    """
    if labelled_outputs(count, sizes) or (count == 2 and list(sizes.values()) == [1]):
        return None
    if len(sizes) == 1:
        ((name, size),) = sizes.items()
        values = "a last axis of any length" if size is None else counted(size, "value")
        return f"{counted(count, 'label')}, but the output {name!r} has {values}"
    each = ", ".join(f"{name}: {size}" for name, size in sizes.items())
    return f"{counted(count, 'label')}, but no output has as many values ({each})"
