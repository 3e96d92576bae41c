"""One file that holds everything a killed stage needs to go on, replaced atomically after every epoch."""

from __future__ import annotations

import json
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
    arrays = {f"{group}/{index}": a for group, many in checkpoint.groups.items() for index, a in enumerate(many)}
    arrays["state"] = np.frombuffer(json.dumps(checkpoint.state).encode(), dtype=np.uint8)
    save(folder / FILE, arrays)


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
    arrays = load(path)
    try:
        state = json.loads(arrays.pop("state").tobytes())
    except (ValueError, KeyError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read ({error})") from error
    groups: dict[str, list[np.ndarray]] = {}
    for key, array in arrays.items():
        groups.setdefault(key.split("/")[0], []).append(array)
    return Checkpoint(groups, state)


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
