"""Reads the runs that are to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.core.records.run import Run
from tfopt.core.sweeps.candidates import Candidate, candidates_of_runs
from tfopt.errors import UsageError
from tfopt.io.recipes.yaml import read_head
from tfopt.io.runs.runs import read_run
from tfopt.io.runs.sweeps import find_sweep, read_sweep


def read_candidates(runs: Sequence[str | Path], root: Path) -> list[Candidate]:
    """The finished runs of runs and sweeps, each with the name of its variant.

    Args:
        runs: run folders and sweep folders, or their names below `root`.
        root: folder of the runs.

    Raises:
        UsageError: a sweep without a finished trial.
        StoreError: there is no such run.
    """
    if len(runs) == 1 and (folder := find_sweep(runs[0], root)) is not None:
        sweep = read_sweep(folder)
        _check_any(sweep.runs, folder)
        trials = {trial.name: trial for trial in sweep.record.trials}
        return [
            Candidate(trials[name].group, _document(run), run.report, trials[name].repetition)
            for name, run in sweep.runs.items()
        ]
    found: list[Run] = []
    for run in runs:
        folder = find_sweep(run, root)
        if folder is None:
            found.append(read_run(run, root))
        else:
            finished = read_sweep(folder).runs
            _check_any(finished, folder)
            found += finished.values()
    return candidates_of_runs([(_document(run), run.report) for run in found])


def _document(run: Run) -> Mapping[str, object]:
    return read_head(run.folder / "recipe.yaml")


def _check_any(runs: Mapping[str, Run], folder: Path) -> None:
    if not runs:
        raise UsageError(f"No trial of the sweep {folder} is finished yet.", code="nothing_to_compare")
