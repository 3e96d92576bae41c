"""Run folders: `saved_models/<recipe>/<run-id>/`, and `latest` beside them."""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timezone
from pathlib import Path

from pydantic import ValidationError

from tfopt.core.records import Report
from tfopt.core.run import Run
from tfopt.errors import StoreError
from tfopt.io.files import cannot_write

LATEST = "latest"


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


def point_latest(folder: Path) -> None:
    """Makes `latest` beside a run folder point to it, in one step.

    Where the system has no symbolic links for this user, `latest` is a text file that holds the run's id.

    Raises:
        StoreError: it cannot be written.
    """
    link = folder.parent / LATEST
    temporary = folder.parent / f".{LATEST}.{os.getpid()}"
    try:
        temporary.unlink(missing_ok=True)
        if os.name == "posix":
            temporary.symlink_to(folder.name, target_is_directory=True)
        else:
            temporary.write_text(folder.name, encoding="utf-8")
        os.replace(temporary, link)
    except OSError as error:
        raise cannot_write(link, error) from error


def read_run(run: str | Path, root: Path) -> Run:
    """A run that is finished, failed or interrupted.

    Args:
        run: a run folder, `<recipe>` (its latest run) or `<recipe>/<run-id>` below `root`.
        root: where runs lie.

    Raises:
        StoreError: there is no such run, or its report cannot be read.
    """
    folder = _find(Path(run), root)
    path = folder / "report.json"
    try:
        return Run(folder, Report.model_validate_json(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"Cannot read {path}: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{path} is not a report of this version of tfopt: {place}: {first['msg']}.",
            "Run the recipe again; finished stages come from the store.",
        ) from error


def _find(run: Path, root: Path) -> Path:
    for base in (run, root / run):
        if (base / "report.json").is_file():
            return base.resolve()
        latest = base / LATEST
        if latest.is_dir():
            return latest.resolve()
        if latest.is_file():
            return base / latest.read_text(encoding="utf-8").strip()
    known = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] != ".") if root.is_dir() else []
    hint = f"Recipes with runs in {root}: {', '.join(known)}." if known else f"There are no runs in {root} yet."
    raise StoreError(f"Found no run at {run}.", hint)
