"""One file that holds everything a killed stage needs to go on, replaced atomically after every epoch."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.atomic import replacing
from tfopt.backend.devices import workers
from tfopt.errors import StageError

FILE = "checkpoint.npz"
_STATE, _VALUES = "state", "values"
"""Entries of the file."""


class DamagedCheckpoint(Exception):
    """A checkpoint cannot be read, or belongs to a different stage; the stage starts again."""


@dataclass(frozen=True)
class Checkpoint:
    """State of a stage between two optimizer steps.

    Args:
        groups: arrays by what they are (weights, optimizer, ...), in order.
        state: everything else, as plain JSON values.
    """

    groups: Mapping[str, Sequence[np.ndarray]]
    state: Mapping[str, Any]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint so that at any moment a whole one, the old or the new, is in the folder.

    Raises:
        StageError: it cannot be written (disk full, no permission).
    """
    many = [(group, array) for group, arrays in checkpoint.groups.items() for array in arrays]
    index = [(group, array.dtype.str, array.shape) for group, array in many]
    state = json.dumps({"arrays": index, "state": checkpoint.state})
    # One entry, not one for each array: a third of the time for 400 arrays, and every epoch writes a checkpoint.
    values = b"".join(array.tobytes() for _, array in many)
    save(
        folder / FILE, {name: np.frombuffer(of, np.uint8) for name, of in ((_STATE, state.encode()), (_VALUES, values))}
    )


def save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays by name; at any moment the file is whole, the old one or the new. Of several workers, one writes.

    Raises:
        StageError: it cannot be written (disk full, no permission).
    """
    if not workers.leads():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes every keyword for allow_pickle
    except OSError as error:
        raise StageError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Free some disk space, or choose another folder with --out.",
            code="cannot_write",
        ) from error


def read(folder: Path) -> Checkpoint | None:
    """The checkpoint in a folder, or None where there is none.

    Raises:
        DamagedCheckpoint: the file is not whole.
    """
    path = folder / FILE
    if not path.exists():
        return None
    stored = load(path)
    groups: dict[str, list[np.ndarray]] = {}
    begin = 0
    try:
        content = json.loads(stored[_STATE].tobytes())
        for group, dtype, shape in content["arrays"]:
            size = math.prod(shape) * np.dtype(dtype).itemsize
            array = np.frombuffer(stored[_VALUES][begin : begin + size], dtype).reshape(shape)
            groups.setdefault(group, []).append(array)
            begin += size
        return Checkpoint(groups, content["state"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read ({error})") from error


def load(path: Path) -> dict[str, np.ndarray]:
    """What `save` wrote.

    Raises:
        DamagedCheckpoint: the file is not whole.
    """
    try:
        # Opened here, because np.load leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedCheckpoint(f"{path} cannot be read ({error})") from error
