"""Measurements that several stages share: found by what they were measured of, kept next to the store's entries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tfopt.atomic import replacing
from tfopt.core.records.fingerprint import fingerprint

Measurement = TypeVar("Measurement", bound=Mapping[str, object])


def remembered(folder: Path | None, about: Mapping[str, object], measure: Callable[[], Measurement]) -> Measurement:
    """A measurement from the folder, or a new one, which is kept there.

    Args:
        folder: where they are kept; None for nowhere.
        about: all that the measurement depends on, as plain values.
        measure: measures; the result is plain values.
    """
    if folder is None:
        return measure()
    path = folder / f"{fingerprint(dict(about))}.json"
    try:
        kept: Measurement = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = measure()
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_text(json.dumps(found), encoding="utf-8")
        return found
    return kept
