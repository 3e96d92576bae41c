"""`events.jsonl`: what happened in a run, one JSON object a line, appended as it happens."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from tfopt.core.contracts.events import Event
from tfopt.io.system.files import cannot_write

_NOT_JOURNALED = frozenset({"progress", "measuring"})


class Journal:
    """Appends events to a file; each line is on disk before the next thing happens.

    Args:
        path: the `.jsonl` file, appended to if it exists.

    Raises:
        StoreError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise cannot_write(path, error) from error

    def append(self, event: Event) -> None:
        """Writes one event with its time; progress ticks are shown but not kept.

        Raises:
            StoreError: the file cannot be written.
        """
        if event.get("event") in _NOT_JOURNALED:
            return
        line = json.dumps({"time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"), **event})
        try:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_events(path: Path) -> list[Event]:
    """All whole lines of a journal; a last line cut off by a crash is left out."""
    events: list[Event] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
