"""Whether files are those of the last run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfopt.io.system import files


def test_large_data_are_known_by_names_sizes_and_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    assert files.data_hash(tmp_path) == files.content_hash(tmp_path)
    monkeypatch.setattr(files, "_MOST_FILES", 1)
    monkeypatch.setattr(files, "file_hash", lambda path: pytest.fail(f"{path} was read"))
    listed = files.data_hash(tmp_path)
    assert files.data_hash(tmp_path) == listed
    os.utime(tmp_path / "a", ns=(0, 0))
    touched = files.data_hash(tmp_path)
    (tmp_path / "b").write_text("longer")
    longer = files.data_hash(tmp_path)
    (tmp_path / "b").rename(tmp_path / "c")
    assert len({listed, touched, longer, files.data_hash(tmp_path)}) == 4
