"""Examples in memory, on disk, or decoded each time: the same data; what cannot be read is named and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.large_data import jpegs
from tests.support.wav_files import tones
from tfopt.backend.data.arrays import decoded
from tfopt.backend.data.caching import choice
from tfopt.backend.data.load import Data, load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

KINDS = ("memory", "disk", "none")


def loaded(source: Path, folder: Path | None, args: dict[str, Any] | None = None, **keys: Any) -> Data:
    return load(DataConfig(source=str(source), args=args or {}, **keys), Path(), folder)


def test_the_same_data_wherever_they_are(tmp_path: Path) -> None:
    jpegs(tmp_path / "images")
    found = {kind: loaded(tmp_path / "images", tmp_path / "cache", cache=kind) for kind in KINDS}
    assert [data.train.in_memory for data in found.values()] == [True, False, False]
    assert len({data.fingerprint for data in found.values()}) == 1
    for data in found.values():
        assert data.cache is not None
        assert (len(data.train), len(data.validation), len(data.test)) == (17, 2, 5)
        assert data.class_names == ("c0", "c1")
        np.testing.assert_array_equal(np.asarray(data.test.inputs), found["memory"].test.inputs)
        np.testing.assert_array_equal(data.train.targets, found["memory"].train.targets)
    assert found["disk"].train.inputs[:2].dtype == np.float32
    assert [data.cache.kind for data in found.values() if data.cache] == list(KINDS)


def test_what_was_decoded_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jpegs(tmp_path / "images")
    before = {
        kind: loaded(tmp_path / "images", tmp_path / "cache", cache=kind).fingerprint for kind in ("disk", "none")
    }
    read = decoded.DecodedRows.read

    def refuse(self: Any, positions: Any) -> Any:
        raise AssertionError("decoded again")

    monkeypatch.setattr(decoded.DecodedRows, "read", refuse)
    for kind in ("disk", "none"):
        assert loaded(tmp_path / "images", tmp_path / "cache", cache=kind).fingerprint == before[kind]
    monkeypatch.setattr(decoded.DecodedRows, "read", read)
    file = next((tmp_path / "images").glob("*/*.jpg"))
    other = next(path for path in (tmp_path / "images").glob("*/*.jpg") if path != file)
    file.write_bytes(other.read_bytes())
    for kind in ("disk", "none"):
        assert loaded(tmp_path / "images", tmp_path / "cache", cache=kind).fingerprint != before[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_images_that_cannot_be_read_are_counted_and_named(tmp_path: Path, kind: str) -> None:
    jpegs(tmp_path / "images", 30)
    files = sorted((tmp_path / "images").glob("*/*.jpg"))
    files[3].write_bytes(files[3].read_bytes()[:300])
    files[20].write_bytes(b"no image")
    with pytest.raises(StageError, match=r"2 of 30 examples cannot be read: .*000006\.jpg.*; .*000011\.jpg") as caught:
        loaded(tmp_path / "images", tmp_path / "cache", cache=kind)
    assert caught.value.code == "data_unreadable"
    for _ in range(2):
        data = loaded(tmp_path / "images", tmp_path / "cache", cache=kind, on_bad_example="skip")
        assert data.cache is not None
        assert data.cache.skipped == 2
        assert len(data.train) + len(data.validation) + len(data.test) == 28
        assert "2 examples that cannot be read are left out" in data.warnings()[0]
        assert np.asarray(data.train.inputs).max(axis=(1, 2, 3)).min() > 0


def test_skipping_does_not_leave_nothing(tmp_path: Path) -> None:
    jpegs(tmp_path / "images", 4)
    for file in (tmp_path / "images").glob("*/*.jpg"):
        file.write_bytes(b"")
    with pytest.raises(StageError, match="cannot be read"):
        loaded(tmp_path / "images", None, {"size": [4, 4]}, on_bad_example="skip")


def test_size_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jpegs(tmp_path / "images")
    for memory, disk, kind in ((10**9, 10**9, "memory"), (20_000, 10**9, "disk"), (20_000, 100, "none")):
        monkeypatch.setattr(choice, "available_memory", lambda memory=memory: memory)
        monkeypatch.setattr(choice.shutil, "disk_usage", lambda path, disk=disk: type("Usage", (), {"free": disk}))
        found = loaded(tmp_path / "images", tmp_path / kind).cache
        assert found is not None
        assert found.kind == kind
    with pytest.raises(StageError, match=r"data\.cache: memory needs 28\.8 kB .* 20 kB are free"):
        loaded(tmp_path / "images", tmp_path / "x", cache="memory")
    with pytest.raises(StageError, match=r"data\.cache: disk needs 7\.2 kB .* 100 B are free"):
        loaded(tmp_path / "images", tmp_path / "x", cache="disk")


def test_recordings_and_archives(tmp_path: Path) -> None:
    tones(tmp_path / "tones", {"low": 300, "high": 900})
    x = np.random.default_rng(0).random((30, 6, 6, 1))
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(30) % 3)
    np.savez_compressed(tmp_path / "compressed.npz", x=x, y=np.arange(30) % 3)
    for name, args in (("tones", {"seconds": 0.3}), ("x.npz", {})):
        found = {kind: loaded(tmp_path / name, tmp_path / "cache", args, cache=kind) for kind in KINDS}
        assert [data.train.in_memory for data in found.values()] == [True, False, False]
        assert len({data.fingerprint for data in found.values()}) == 1
    assert loaded(tmp_path / "compressed.npz", None, cache="none").fingerprint == found["memory"].fingerprint


def test_values_that_are_not_finite_are_found(tmp_path: Path) -> None:
    x = np.zeros((30, 40), np.float32)
    x[7, 3] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(30) % 3)
    with pytest.raises(StageError, match="1 value NaN or infinite, in 1 of 30 examples, first in example 7"):
        loaded(tmp_path / "x.npz", None, cache="none")


def test_an_autoencoder_learns_from_the_disk(tmp_path: Path) -> None:
    jpegs(tmp_path / "images")
    data = loaded(tmp_path / "images", tmp_path / "cache", cache="disk", targets="inputs")
    assert data.train.targets is data.train.inputs
    assert data.train.take(3, 0).targets.shape == (3, 10, 10, 3)
