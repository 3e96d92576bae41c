"""Sweep folders: `saved_models/<recipe>/sweeps/<sweep-id>/sweep.json`, and the link `latest`."""

from __future__ import annotations

from pathlib import Path

from tfopt.core.records.run import Run
from tfopt.core.sweeps.record import Sweep, SweepRecord, TrialRecord
from tfopt.io.runs.read_record import read_record
from tfopt.io.runs.runs import LATEST, read_run
from tfopt.io.system.files import cannot_write, write_atomically

SWEEPS = "sweeps"
_RECORD = "sweep.json"
_ID_LENGTH = 12


def sweep_folder(root: Path, recipe: str, key: str) -> Path:
    """The folder of a sweep, made if need be: the same trials always have the same one.

    Raises:
        StoreError: it cannot be made.
    """
    folder = root / recipe / SWEEPS / key[:_ID_LENGTH]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def write_sweep(folder: Path, record: SweepRecord) -> None:
    """Writes `sweep.json` in one step.

    Raises:
        StoreError: it cannot be written.
    """
    write_atomically(folder / _RECORD, record.model_dump_json(by_alias=True, indent=1))


def settled_trials(folder: Path) -> dict[str, TrialRecord]:
    """Trials of an earlier attempt at the same sweep that need not run again, by name.

    A trial counts as done only while its report exists.

    Raises:
        StoreError: `sweep.json` exists and cannot be read.
    """
    if not (folder / _RECORD).is_file():
        return {}
    return {trial.name: trial for trial in _read(folder / _RECORD).trials if _is_settled(trial, folder.parents[1])}


def _is_settled(trial: TrialRecord, runs: Path) -> bool:
    if trial.state == "done":
        return trial.run is not None and (runs / trial.run / "report.json").is_file()
    return trial.settled


def find_sweep(sweep: str | Path, root: Path) -> Path | None:
    """The folder of a sweep, or None where there is none.

    Args:
        sweep: a sweep folder, or below `root`: `<recipe>/sweeps/<id>`, or `<recipe>` (its latest sweep).
        root: folder of the runs.
    """
    for base in (Path(sweep), root / sweep):
        for folder in (base, base / LATEST, base / SWEEPS / LATEST):
            if (folder / _RECORD).is_file():
                return folder.resolve()
            if folder.name == LATEST and folder.is_file():
                named = folder.parent / folder.read_text(encoding="utf-8").strip()
                if (named / _RECORD).is_file():
                    return named.resolve()
    return None


def read_sweep(folder: Path) -> Sweep:
    """A sweep of the past, with its finished runs.

    Raises:
        StoreError: it cannot be read.
    """
    record = _read(folder / _RECORD)
    runs: dict[str, Run] = {}
    for trial in record.trials:
        if trial.state == "done" and trial.run is not None:
            runs[trial.name] = read_run(folder.parents[1] / trial.run, folder.parents[2])
    return Sweep(folder, record, runs)


def _read(path: Path) -> SweepRecord:
    hint = "Remove it and run the sweep again; finished stages come from the store."
    return read_record(path, SweepRecord, "a sweep", hint)
