"""Sizes of exported files, and how they get into their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfopt.backend.export.files import num_bytes, num_gzip_bytes, put_in_place, writing
from tfopt.errors import ExportError


def folder_with(path: Path, **contents: bytes) -> Path:
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "saved_model", a=b"12345", b=b"678")
    (folder / "variables").mkdir()
    (folder / "variables" / "c").write_bytes(b"90")
    assert (num_bytes(folder), num_bytes(folder / "a")) == (10, 5)


def test_the_same_contents_compress_to_the_same_size_whenever_they_were_written(tmp_path: Path) -> None:
    one = folder_with(tmp_path / "one", a=bytes(1000), b=b"x" * 1000)
    other = folder_with(tmp_path / "other", b=b"x" * 1000, a=bytes(1000))
    os.utime(other / "a", (1, 1))
    assert num_gzip_bytes(one) == num_gzip_bytes(other) < 100


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
