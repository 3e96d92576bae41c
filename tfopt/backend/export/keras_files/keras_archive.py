"""Finishes a `.keras` archive: the same weights give the same bytes, and notes of tfopt travel in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tfopt.backend.types import Nested

_NO_DATE = (1980, 1, 1, 0, 0, 0)

NOTE = "tfopt_quantization.json"
"""Member with the ranges that qat learned; Keras reads the archive by the names of its own members."""


def finish(archive: Path, notes: Mapping[str, object], changed: Callable[[Nested], Nested] | None = None) -> None:
    """Removes the time of writing from an archive, and adds notes.

    Args:
        archive: a `.keras` file, rewritten in place.
        notes: JSON-able content by the name of its member.
        changed: the configuration to write, from that of the model; None leaves it.
    """
    with zipfile.ZipFile(archive) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    metadata = json.loads(contents["metadata.json"])
    year, month, day, hour, minute, second = _NO_DATE
    metadata["date_saved"] = f"{year}-{month:02}-{day:02}@{hour:02}:{minute:02}:{second:02}"
    contents["metadata.json"] = json.dumps(metadata).encode()
    if changed is not None:
        config = json.loads(contents["config.json"])
        if (written := changed(config)) != config:
            contents["config.json"] = json.dumps(written).encode()
    contents |= {name: json.dumps(note, indent=1, sort_keys=True).encode() for name, note in notes.items()}
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in contents.items():
            target.writestr(zipfile.ZipInfo(name, _NO_DATE), content)
