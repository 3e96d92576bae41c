"""A `.keras` archive without the time of writing, with notes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tfopt.backend.export.keras_files.keras_archive import NOTE, finish


def archive(path: Path, date: str, zip_date: tuple[int, int, int, int, int, int]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            zipfile.ZipInfo("metadata.json", zip_date), json.dumps({"keras_version": "3", "date_saved": date})
        )
        file.writestr(zipfile.ZipInfo("model.weights.h5", zip_date), b"weights")
    return path


def test_archives_of_the_same_model_are_equal_whenever_they_were_written(tmp_path: Path) -> None:
    one = archive(tmp_path / "one.keras", "2025-01-02@03:04:05", (2025, 1, 2, 3, 4, 6))
    other = archive(tmp_path / "other.keras", "2026-06-07@08:09:10", (2026, 6, 7, 8, 9, 10))
    for path in (one, other):
        finish(path, {})
    assert one.read_bytes() == other.read_bytes()


def test_notes_are_members_of_their_own_and_the_others_stay(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", "2025-01-02@03:04:05", (2025, 1, 2, 3, 4, 6))
    finish(path, {NOTE: {"dense": [0.0, 1.0]}})
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["metadata.json", "model.weights.h5", NOTE]
        assert file.read("model.weights.h5") == b"weights"
        assert json.loads(file.read(NOTE)) == {"dense": [0.0, 1.0]}
