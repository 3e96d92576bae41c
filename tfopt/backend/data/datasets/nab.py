"""Numenta Anomaly Benchmark: 58 time series with labelled anomalies; from a folder of yours."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfopt.backend.data.datasets._own_folder import own_folder
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.tables.series import Series, WindowKeys, windows
from tfopt.backend.types import Array
from tfopt.core.config.data import Splits
from tfopt.core.language.suggest import closest
from tfopt.errors import EnvironmentProblem, StageError

FOLDER = "NAB"
"""Environment variable with the folder, where `args.folder` is not given."""
_ARCHIVE, _DATA, _LABELS = "nab.zip", "data/", "labels/combined_windows.json"


def load(
    *,
    folder: str | None = None,
    series: str = "realKnownCause/machine_temperature_system_failure",
    window: int = 128,
    stride: int = 4,
    validation: float = 0.1,
    test: float = 0.3,
) -> Prepared:
    """Reads a series of github.com/numenta/NAB (MIT), which is not downloaded.

    Training and validation get windows without anomalies; those of the test split are to be found (`anomaly_auc`).

    Args:
        folder: with `nab.zip`, or with `data/` and `labels/`; without it, the environment variable NAB names it.
        series: its path below `data/`, without `.csv`.
        window: rows of an example.
        stride: rows from the beginning of an example to that of the next.
        validation: share of the rows, after those of training.
        test: share of the rows: the last ones.

    Raises:
        EnvironmentProblem: the folder is not given, or has no such files.
        StageError: there is no such series.
    """
    shares = Splits.model_validate({"validation": validation, "test": test})
    files = _files(own_folder("nab", folder, FOLDER, "github.com/numenta/NAB"))
    known = [name.removeprefix(_DATA).removesuffix(".csv") for name in files if name.endswith(".csv")]
    if series not in known:
        raise StageError(
            f"NAB has no series {series!r}.{closest(series, known)}",
            f"It has: {', '.join(sorted(known))}.",
            code="invalid_argument",
        )
    path = f"{_DATA}{series}.csv"
    rows = list(csv.DictReader(io.StringIO(files[path].decode())))
    times = np.array([row["timestamp"] for row in rows], "datetime64[s]")
    values = np.array([float(row["value"]) for row in rows])[:, np.newaxis]
    labels = json.loads(files[_LABELS])[f"{series}.csv"]
    return windows([Series(path, values, _in_any(times, labels))], ["value"], WindowKeys(window, stride), shares)


def _in_any(times: Array, spans: list[list[str]]) -> Array:
    found = np.zeros(len(times), bool)
    for first, last in spans:
        found |= (times >= np.datetime64(first)) & (times <= np.datetime64(last))
    return found


def _files(folder: Path) -> Mapping[str, bytes]:
    archive = folder / _ARCHIVE
    if archive.is_file():
        try:
            with zipfile.ZipFile(archive) as opened:
                found = {name: opened.read(name) for name in opened.namelist()}
        except (zipfile.BadZipFile, OSError) as error:
            raise EnvironmentProblem(f"{archive} cannot be read: {error}.", code="data_unreadable") from error
    else:
        paths = [*folder.glob(f"{_DATA}*/*.csv"), *folder.glob(_LABELS)]
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    if _LABELS not in found:
        raise EnvironmentProblem(
            f"{folder.absolute()} has neither {_ARCHIVE} nor {_LABELS} of NAB.", code="data_missing"
        )
    return found
