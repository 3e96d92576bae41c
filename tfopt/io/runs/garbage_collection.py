"""Freeing the store: what no kept run needs goes, the oldest first."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tfopt.errors import StoreError
from tfopt.io.runs.journal import read_events
from tfopt.io.runs.runs import REPORT, run_folders
from tfopt.io.store.locks import is_held
from tfopt.io.store.store import Store
from tfopt.io.system.files import cannot_write


@dataclass(frozen=True)
class Collected:
    """What was removed, or would be.

    Args:
        runs: run folders.
        entries: store entries, decoded examples, unfinished attempts and damaged entries.
        bytes: how much they take.
        kept_bytes: what the store takes afterwards.
    """

    runs: tuple[Path, ...]
    entries: tuple[Path, ...]
    bytes: int
    kept_bytes: int


def collect(
    root: Path, *, keep_last: int | None = None, max_size: int | None = None, dry_run: bool = False
) -> Collected:
    """Removes old runs and the store entries that no kept run needs.

    Args:
        root: folder of the runs and the store.
        keep_last: how many runs of each recipe to keep, the newest; all by default. A run that is going on is kept.
        max_size: remove entries only until the store takes no more bytes than this, the oldest first; without it, all
            that no kept run needs.
        dry_run: only report what would be removed.

    Raises:
        StoreError: something cannot be removed.
    """
    store = Store(root / ".store")
    old_runs: list[Path] = []
    needed: set[str] = set()
    unfinished: set[str] = set()
    for folders in run_folders(root).values():
        for position, folder in enumerate(folders):
            if keep_last is not None and position >= keep_last and not is_held(folder):
                old_runs.append(folder)
            else:
                needed |= _keys_of(folder)
                unfinished |= _unfinished_keys(folder)
    # Decoded examples can always be made again.
    decoded = [path for path in (store.root / "data").glob("*") if path.is_dir()]
    entries = sorted([*store.entries(), *decoded], key=lambda path: path.stat().st_mtime)
    sizes = {path: _size(path) for path in entries}
    total = sum(sizes.values())
    # Folders of attempts are named by their key, or by its beginning.
    removed = [path for path in store.leftovers() if not any(key.startswith(path.name[:12]) for key in unfinished)]
    for path in entries:
        if path.name in needed or (max_size is not None and total <= max_size):
            continue
        removed.append(path)
        total -= sizes[path]
    freed = sum(_size(path) for path in [*removed, *old_runs])
    if not dry_run:
        for path in [*old_runs, *removed]:
            _remove(path)
    return Collected(tuple(old_runs), tuple(removed), freed, total)


def _keys_of(folder: Path) -> set[str]:
    """Keys that a run needs: of its finished stages and their external models, and of all with which it can resume."""
    path = folder / REPORT
    if not path.is_file():
        return _unfinished_keys(folder)
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        keys = {key for stage in report["stages"] for key in (stage["key"], *stage.get("sources", {}).values())}
        return keys | _unfinished_keys(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"Cannot read {path}, so it is not known what it needs: {error}.",
            "Remove that run by hand.",
            code="cannot_read",
        ) from error


def _unfinished_keys(folder: Path) -> set[str]:
    """Keys of a run that was killed, interrupted or is running: of the stages it began, and of external models.

    There are none of a run that is over.
    """
    path = folder / "events.jsonl"
    events = read_events(path) if path.is_file() else []
    last = max((index for index, event in enumerate(events) if event["event"] == "run_started"), default=0)
    over = any(event["event"] == "run_finished" and event["state"] != "interrupted" for event in events[last:])
    if over:
        return set()
    begun = {str(event["key"]) for event in events if "key" in event}
    return begun.union(*(event.get("sources", ()) for event in events if event["event"] == "run_started"))


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise cannot_write(path, error) from error
