"""Run folders: `saved_models/<recipe>/<run-id>/`, and the link `latest`."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from tfopt.atomic import replacing
from tfopt.core.records.report import Report
from tfopt.core.records.run import Run
from tfopt.errors import StoreError
from tfopt.io.runs.read_record import read_record
from tfopt.io.store.locks import is_held
from tfopt.io.system.files import cannot_write, folder_hashes, write_atomically

LATEST = "latest"
REPORT = "report.json"
_ABOUT = "run.json"


def new_run_folder(root: Path, recipe: str) -> Path:
    """Makes the folder of a new run; its name begins with the time, so that names sort by age.

    Raises:
        StoreError: it cannot be made.
    """
    moment = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    folder = root / recipe / f"{moment}-{secrets.token_hex(2)}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def begin(folder: Path, recipe_identity: str, run_identity: str | None) -> None:
    """Notes in a run folder what the run is of.

    Raises:
        StoreError: it cannot be written.
    """
    about = {"recipe": recipe_identity, "identity": run_identity, "files": None}
    write_atomically(folder / _ABOUT, json.dumps(about, indent=1))


def close(folder: Path) -> None:
    """Records the files of a finished run in its folder, so that a later change of them is noticed.

    Raises:
        StoreError: it cannot be written.
    """
    files = folder_hashes(folder / "export") if (folder / "export").is_dir() else {}
    write_atomically(folder / _ABOUT, json.dumps({**_about(folder), "files": files}, indent=1))


def unfinished_run(root: Path, recipe: str, recipe_identity: str) -> Path | None:
    """The newest run folder if its run was of the same recipe and was killed or interrupted; a run resumes there."""
    newest = next(_run_folders(root / recipe), None)
    if newest is None or _about(newest).get("recipe") != recipe_identity or is_held(newest):
        return None
    path = newest / REPORT
    if not path.is_file():
        return newest
    try:
        state = json.loads(path.read_text(encoding="utf-8"))["run"]["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return newest if state == "interrupted" else None


def finished_run(root: Path, recipe: str, run_identity: str | None) -> Run | None:
    """The newest finished run that would come out the same and whose files are all still as they were written.

    One of which an export failed is carried out again: a crash or a lack of memory may not come back.
    """
    if run_identity is None:
        return None
    for folder in _run_folders(root / recipe):
        about = _about(folder)
        if about.get("identity") != run_identity or about.get("files") is None:
            continue
        if (folder / "export").is_dir() and folder_hashes(folder / "export") == about["files"]:
            run = read_run(folder, root)
            if all(export.error is None for export in run.report.exports):
                return run
    return None


def point_latest(folder: Path) -> None:
    """Makes the link `latest` point to a run folder, in one step.

    Where the system has no symbolic links for this user, `latest` is a text file that holds the run's id.

    Raises:
        StoreError: it cannot be written.
    """
    link = folder.parent / LATEST
    try:
        with replacing(link) as temporary:
            if os.name == "posix":
                temporary.symlink_to(folder.name, target_is_directory=True)
            else:
                temporary.write_text(folder.name, encoding="utf-8")
    except OSError as error:
        raise cannot_write(link, error) from error


def read_run(run: str | Path, root: Path) -> Run:
    """A run that is finished, failed or interrupted.

    Args:
        run: a run folder, `<recipe>` (its latest run) or `<recipe>/<run-id>` below `root`.
        root: folder of the runs.

    Raises:
        StoreError: there is no such run, or its report cannot be read.
    """
    folder = _find(Path(run), root)
    hint = "Run the recipe again; finished stages come from the store."
    return Run(folder, read_record(folder / REPORT, Report, "a report", hint))


def run_folders(root: Path) -> dict[str, list[Path]]:
    """All run folders below a root by recipe, newest first."""
    recipes = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".") if root.is_dir() else []
    return {recipe.name: list(_run_folders(recipe)) for recipe in recipes}


def _run_folders(recipe: Path) -> Iterator[Path]:
    """Run folders of a recipe, newest first."""
    if recipe.is_dir():
        yield from sorted((path for path in recipe.glob("2*-*") if path.is_dir()), reverse=True)


def _about(folder: Path) -> dict[str, object]:
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _find(run: Path, root: Path) -> Path:
    for base in (run, root / run):
        if (base / REPORT).is_file():
            return base.resolve()
        latest = base / LATEST
        if latest.is_dir():
            return latest.resolve()
        if latest.is_file():
            return base / latest.read_text(encoding="utf-8").strip()
    known = [name for name, folders in run_folders(root).items() if folders]
    hint = f"Recipes with runs in {root}: {', '.join(known)}." if known else f"There are no runs in {root} yet."
    raise StoreError(f"Found no run at {run}.", hint, code="run_not_found")
