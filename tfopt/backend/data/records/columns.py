"""One column of records or tables: a name, what the recipe says about it, and how a value becomes an array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import TypeAlias

import numpy as np

from tfopt.backend.data.arrays.decoded import DecodedRows
from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.images.image_folder import first_size, read_image, scaled_rows
from tfopt.backend.data.per_example.keys import keys_of_column
from tfopt.backend.data.prepared import RawExamples
from tfopt.backend.types import Array, ExampleArray
from tfopt.core.config.features import Feature, Kind
from tfopt.errors import StageError

_TARGETS = ("label", "labels", "target", "targets", "class", "y")
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")
"""How encoded images begin."""

Value: TypeAlias = bytes | str | int | float | Array
"""One value of a column; numbers are one, or (n,)."""


@dataclass(frozen=True)
class Column:
    """Values by row number, one at a time.

    Args:
        name: of the feature or column.
        value: bytes, text, a number, or a flat array of numbers of a row; raises a `StageError`.
        where: the row, for errors.
        rows: how many there are.
        identity: changes with the content of the files.
        verify: checks the files once.
        window: rows that are read together; None where each can be read alone.
    """

    name: str
    value: Callable[[int], Value]
    where: Callable[[int], str]
    rows: int
    identity: str
    verify: Callable[[], None] | None = None
    window: int | None = None


def array_of(column: Column, feature: Feature) -> ExampleArray:
    """A column as an array: images and long rows are decoded when they are read; labels and texts at once.

    Raises:
        StageError: a value is not what the recipe or the first row says.
    """
    kind = feature.kind or kind_of(column.value(0))
    if kind == "image":
        return _images(column, feature)
    if kind == "text":
        return np.array([_text(column, row) for row in range(column.rows)])
    values = _numbers(column, 0, kind)
    axes = tuple(feature.shape) if feature.shape is not None else (() if values.size == 1 else (values.size,))
    dtype = np.dtype(kind)

    def decode(row: int) -> Array:
        found = _numbers(column, row, kind)
        if found.size != int(np.prod(axes)):
            raise StageError(
                f"{column.name} of {column.where(row)} has {found.size} values, but {int(np.prod(axes))} are expected.",
                "Give data.features the right shape; all rows must have the same.",
                code="invalid_data",
            )
        return found.reshape(axes).astype(dtype)

    rows = DecodedRows(
        range(column.rows), decode, axes, dtype, _identity(column, (kind, axes)), column.verify, column.window
    )
    return in_memory(rows, f"The column {column.name}") if feature.role != "input" and not axes else rows


def kind_of(value: object) -> Kind:
    """How a value is stored."""
    if isinstance(value, bytes):
        return "image" if value.startswith(_IMAGES) else "text"
    if isinstance(value, str):
        return "text"
    return "float32" if np.asarray(value).dtype.kind == "f" else "int64"


def features_block(first: Mapping[str, object]) -> str:
    """A `features` block for a row, to be copied into a recipe."""
    parts = []
    for name, value in first.items():
        words = []
        if kind_of(value) == "image":
            words.append("size: [height, width]")
        if name.lower() in _TARGETS:
            words.append("role: target")
        parts.append(f"{name}: {{{', '.join(words)}}}")
    return f"features: {{{', '.join(parts)}}}"


def examples_of(features: Mapping[str, Feature], arrays: Mapping[str, ExampleArray], keys: Array | None) -> RawExamples:
    """The arrays of a split by their roles; several by name.

    Args:
        features: of the recipe.
        arrays: by the names of the features.
        keys: what each row belongs to; None where that is not asked.
    """
    by_role = {
        role: {name: arrays[name] for name, feature in features.items() if feature.role == role}
        for role in ("input", "target", "weight")
    }
    inputs, targets, weights = by_role["input"], by_role["target"], by_role["weight"]
    by_output = {output: array for name, array in weights.items() if (output := features[name].output) is not None}
    return RawExamples(
        next(iter(inputs.values())) if len(inputs) == 1 else inputs,
        (next(iter(targets.values())) if len(targets) == 1 else targets) if targets else None,
        by_output or next(iter(weights.values()), None),
        keys,
    )


def keys_of(column: Column) -> Array:
    """What each row belongs to, as text, (n,).

    Raises:
        StageError: a value is no text and no whole number.
    """
    values = []
    for row in range(column.rows):
        value = column.value(row)
        plain = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if np.size(plain) != 1:
            raise StageError(
                f"{column.name} of {column.where(row)} has {np.size(plain)} values, but says what it belongs to "
                "(data.splits.key).",
                "Expected a text or whole number for each example.",
                code="invalid_data",
            )
        values.append(plain if isinstance(plain, str) else np.asarray(plain).item())
    return keys_of_column(np.array(values), f"The column {column.name}")


def check_names(
    features: Mapping[str, Feature] | None, first: Mapping[str, object], source: str, key: str | None = None
) -> Mapping[str, Feature]:
    """The features of the recipe, if the first row has them, and that of `data.splits.key`.

    Raises:
        StageError: there are none in the recipe, or one is not in the row.
    """
    if features is None:
        raise StageError(
            f"{source} holds {', '.join(f'{name} ({kind_of(value)})' for name, value in first.items())}: data.features "
            "says which of them are inputs and targets.",
            f"Write data: {{{features_block(first)}, ...}}.",
            code="missing_key",
        )
    missing = [name for name in features if name not in first]
    if missing:
        raise StageError(
            f"{source} has no feature {missing[0]!r}; it has {', '.join(first)}.",
            "Correct data.features.",
            code="data_missing",
        )
    if key is not None and key not in first:
        raise StageError(
            f"{source} has no feature {key!r}, which data.splits.key names; it has {', '.join(first)}.",
            "Correct data.splits.key.",
            code="unknown_column",
        )
    return features


def _images(column: Column, feature: Feature) -> ExampleArray:
    size = feature.size or first_size(lambda row: _decoded(column, row, None, 1), range(column.rows))
    axes = (*size, feature.channels)

    def decode(row: int) -> Array:
        image = _decoded(column, row, feature.size, feature.channels)
        if image.shape != axes:
            raise StageError(
                f"{column.name} of {column.where(row)} has {image.shape[0]}x{image.shape[1]} pixels, but others have "
                f"{axes[0]}x{axes[1]}.",
                "Give data.features a size: [height, width] to resize all.",
                code="invalid_data",
            )
        return image

    identity = _identity(column, ("image", axes))
    rows = DecodedRows(range(column.rows), decode, axes, np.dtype(np.uint8), identity, column.verify, column.window)
    return scaled_rows(rows, feature.scale)


def _decoded(column: Column, row: int, size: tuple[int, int] | None, channels: int) -> Array:
    content = column.value(row)
    if not isinstance(content, bytes):
        raise StageError(f"{column.name} of {column.where(row)} is no encoded image.", code="data_unreadable")
    return read_image(BytesIO(content), size, channels, f"{column.name} of {column.where(row)}")


def _numbers(column: Column, row: int, kind: Kind) -> Array:
    value = column.value(row)
    if isinstance(value, bytes) and kind == "uint8":
        return np.frombuffer(value, np.uint8)
    found = np.asarray(value).reshape(-1)
    if found.dtype.kind not in "biuf":
        raise StageError(
            f"{column.name} of {column.where(row)} holds no numbers of kind {kind}, but {type(value).__name__}.",
            "Correct its kind in data.features: uint8 is for raw bytes, text for names of classes.",
            code="invalid_data",
        )
    return found


def _text(column: Column, row: int) -> str:
    value = column.value(row)
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        raise StageError(
            f"{column.name} of {column.where(row)} is no text, but {type(value).__name__}.",
            "Correct its kind in data.features.",
            code="invalid_data",
        )
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StageError(f"{column.name} of {column.where(row)} is no text: {error}.", code="invalid_data") from error


def _identity(column: Column, settings: object) -> str:
    return sha256(f"{column.identity} {column.name!r} {settings!r}".encode()).hexdigest()
