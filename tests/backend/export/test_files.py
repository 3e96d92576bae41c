"""How exported files get into their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.backend.export.files import put_in_place, writing
from tfopt.errors import ExportError


def folder_with(path: Path, **contents: bytes) -> Path:
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


def test_a_folder_replaces_an_old_one_as_a_whole(tmp_path: Path) -> None:
    old = folder_with(tmp_path / "saved_model", stale=b"old")
    put_in_place(folder_with(tmp_path / "new", fresh=b"new"), old)
    assert [path.name for path in old.iterdir()] == ["fresh"]
    assert not (tmp_path / "new").exists()


def test_an_error_of_the_disk_names_the_path_and_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(ExportError, match=r"Cannot write .*model: No space left") as raised,
        writing(tmp_path / "model"),
    ):
        raise OSError(28, "No space left on device")
    assert raised.value.code == "cannot_write"
