"""What examples belong to: whole groups, and the same examples of a data set that has grown, are in one split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.large_data import jpegs
from tests.support.wav_files import write_wav
from tfopt.backend.data.load import Data, load
from tfopt.backend.data.per_example.keys import positions_by_hash
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

SPLITS = ("train", "validation", "test")


def loaded(source: Path | str, folder: Path, **keys: Any) -> Data:
    return load(DataConfig.model_validate({"source": str(source), **keys}), folder)


def where(data: Data) -> dict[bytes, str]:
    """The split of each example, by its content."""
    return {row.tobytes(): name for name in SPLITS for row in np.asarray(getattr(data, name).inputs)}


def test_hashes_are_equally_likely_and_depend_on_the_key_alone() -> None:
    keys = np.array([f"person {number}" for number in range(4000)])
    found = positions_by_hash(keys, 0, 0.2, 0.3)
    assert 320 < len(found) < 480
    assert set(positions_by_hash(keys[::-1], 0, 0.2, 0.3)) == {3999 - position for position in found}
    assert not np.array_equal(found, positions_by_hash(keys, 1, 0.2, 0.3))


def test_images_stay_in_their_splits_when_a_folder_grows(tmp_path: Path) -> None:
    jpegs(tmp_path / "images", 60)
    before = where(loaded(tmp_path / "images", tmp_path, splits={"by": "hash"}))
    jpegs(tmp_path / "images", 90)
    after = where(loaded(tmp_path / "images", tmp_path, splits={"by": "hash"}, cache="none"))
    assert len(before) == 60
    assert len(after) == 90
    assert before.items() <= after.items()
    assert set(before.values()) == set(SPLITS)


def test_a_part_of_the_name_keeps_images_together(tmp_path: Path) -> None:
    jpegs(tmp_path / "images", 40)
    folder = tmp_path / "images"
    for path in sorted(folder.glob("*/*.jpg")):  # 8 patients
        path.rename(path.with_name(f"p{int(path.stem) % 8}_{path.stem}.jpg"))
    for splits in ({"by": "hash"}, {}):
        data = loaded(folder, tmp_path, splits={"key": "(p[0-9]+)_", "validation": "25%", "test": "25%", **splits})
        of = where(data)
        patients: dict[str, set[str]] = {}
        for path in folder.glob("*/*.jpg"):
            alone = next(name for row, name in of.items() if row == pixels(path))
            patients.setdefault(path.name[:2], set()).add(alone)
        assert len(patients) == 8
        assert all(len(names) == 1 for names in patients.values())
    with pytest.raises(StageError, match=r"does not match 40 names of 40, first 'c0/p0_000000.jpg'"):
        loaded(folder, tmp_path, splits={"key": "(speaker)"})
    with pytest.raises(StageError, match="has no group"):
        loaded(folder, tmp_path, splits={"key": "p[0-9]"})


def pixels(path: Path) -> bytes:
    from PIL import Image

    with Image.open(path) as image:
        return (np.asarray(image, np.float32) / np.float32(255)).tobytes()


def table(path: Path, people: int = 12) -> Path:
    rows = [f"{number},{number % people},{number % 2},1" for number in range(people * 5)]
    path.write_text("\n".join(["value,person,label,kept", *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["csv", "npz", "function"])
def test_columns_arrays_and_functions_keep_examples_together(kind: str, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"key": "person"}
    source: Path | str = table(tmp_path / "table.csv")
    args = {"target": "label", "features": ["value"]}
    if kind == "npz":
        source, args = tmp_path / "table.npz", {}
        values = np.arange(60, dtype=np.float32)[:, np.newaxis]
        np.savez(source, x=values, y=np.arange(60) % 2, person=np.arange(60) % 12)
    if kind == "function":
        code = "def person(inputs, targets):\n    return inputs[:, 0].astype(int) % 12\n"
        (tmp_path / "ownkeys.py").write_text(code, encoding="utf-8")
        keys["key"] = "ownkeys:person"
    data = loaded(source, tmp_path, args=args, splits={"by": "hash", **keys})
    people = {name: set(np.asarray(getattr(data, name).inputs)[:, 0].astype(int) % 12) for name in SPLITS}
    assert all(people.values())
    assert sum(map(len, people.values())) == 12


def test_the_key_is_no_feature_unless_it_is_named(tmp_path: Path) -> None:
    source = table(tmp_path / "table.csv")
    data = loaded(source, tmp_path, args={"target": "label", "weight": "kept"}, splits={"key": "person"})
    assert data.input_shape == (1,)
    assert data.train.weights is not None


def test_arrays_without_a_key_are_split_by_their_content(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=values[:40], y=np.arange(40) % 2)
    np.savez(tmp_path / "b.npz", x=values[::-1], y=np.arange(50)[::-1] % 2)
    before, after = (where(loaded(tmp_path / f"{name}.npz", tmp_path, splits={"by": "hash"})) for name in "ab")
    assert before.items() <= after.items()


def test_speakers_of_recordings(tmp_path: Path) -> None:
    for number in range(40):
        folder = tmp_path / "voices" / ("yes" if number % 2 else "no")
        folder.mkdir(parents=True, exist_ok=True)
        write_wav(folder / f"s{number % 10}_{number}.wav", np.full(800, 100 * number), 8000)
    keys = {"by": "hash", "key": "/(s[0-9])_", "test": "30%", "validation": "30%"}
    data = loaded(tmp_path / "voices", tmp_path, args={"features": "samples", "seconds": 0.1}, splits=keys)
    heard = [{round(float(x.flat[0]) * 327.68) % 10 for x in np.asarray(getattr(data, name).inputs)} for name in SPLITS]
    assert sum(map(len, heard)) == 10
    with pytest.raises(StageError, match=r"args.speaker and data.splits.key"):
        loaded(tmp_path / "voices", tmp_path, args={"speaker": "(s)"}, splits=keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"splits": {"key": "preson"}}, "no column 'preson'"),
        ({"splits": {"key": "same", "by": "hash"}, "args": {"target": "label"}}, "1 keys for 60 training examples"),
        ({"splits": {"by": "hash"}, "args": {"window": 4, "target": "label"}}, "in the order of time"),
    ],
)
def test_keys_that_cannot_be(keys: dict[str, Any], message: str, tmp_path: Path) -> None:
    source = table(tmp_path / "table.csv")
    header, *rows = source.read_text(encoding="utf-8").split("\n")
    source.write_text("\n".join([f"{header},same", *(f"{row},1" for row in rows)]), encoding="utf-8")
    with pytest.raises(StageError, match=message):
        loaded(source, tmp_path, **{"args": {"target": "label"}, **keys})


def test_keys_of_a_source_that_declares_its_splits(tmp_path: Path) -> None:
    x, y = np.arange(20, dtype=np.float32)[:, np.newaxis], np.arange(20) % 2
    parts = {f"{name}_{split}": array for name, array in (("x", x), ("y", y)) for split in SPLITS}
    np.savez(tmp_path / "a.npz", **parts)
    with pytest.raises(StageError, match=r"data.splits.by says how .* of its own"):
        loaded(tmp_path / "a.npz", tmp_path, splits={"by": "hash"})
