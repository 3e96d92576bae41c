"""Sizes of files, compressed and not, and the entropy bound."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tfopt.backend.audit.sizes import entropy_bytes, num_bytes, num_gzip_bytes, num_zstd_bytes


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
    assert num_zstd_bytes(one) == num_zstd_bytes(other) < 100


def test_the_entropy_bound_counts_bits_per_value() -> None:
    assert entropy_bytes(np.zeros(100, np.int8)) == 0
    assert entropy_bytes(np.arange(16, dtype=np.int8).repeat(16)) == 128  # 4 bits each
    assert entropy_bytes(np.array([0, 0, 0, 1] * 1000, np.float32)) == 406  # 0.811 bits each
    assert entropy_bytes(np.zeros((0, 3))) == 0
