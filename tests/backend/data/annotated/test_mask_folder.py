"""Folders of images and masks: palette, grey and colour masks, pixels without a class, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfopt.backend.data.arrays.reading import is_in_memory
from tfopt.backend.data.load import Data, class_weights, load
from tfopt.core.config.data import DataConfig, Splits
from tfopt.errors import StageError

SIZE = (6, 8)


def written(folder: Path, values: list[int], n: int = 8, mode: str = "L", suffix: str = "") -> Path:
    """Images whose red channel is the value of the mask, and the masks."""
    random = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for k in range(n):
        mask = random.choice(values, SIZE).astype(np.uint8)
        mask.flat[: len(values)] = values
        image = np.stack([mask, mask * 0 + k, mask * 0], axis=-1)
        Image.fromarray(image).save(folder / "images" / f"{k}.png")
        made = Image.fromarray(mask)
        if mode == "P":
            made.putpalette([9, 9, 9] * 256)
        elif mode == "RGB":
            made = Image.fromarray(np.stack([mask, 255 - mask, mask * 0], axis=-1))
        made.save(folder / "masks" / f"{k}{suffix}.png")
    return folder


def read(folder: Path, **args: object) -> Data:
    return load(DataConfig(source=str(folder), args=args))


@pytest.mark.parametrize("mode", ["L", "P"])
def test_numbers_are_classes(tmp_path: Path, mode: str) -> None:
    data = read(written(tmp_path / "data", [0, 1, 2], mode=mode), scale="none", classes=["ground", "road", "sky"])
    assert (len(data.train) + len(data.validation) + len(data.test), data.num_classes) == (8, 3)
    assert data.label_names == ("ground", "road", "sky")
    assert np.array_equal(data.train.inputs[..., 0], data.train.targets)
    assert data.train.targets.dtype == np.int32


def test_numbers_and_colours_that_are_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "numbers", [0, 7, 255])
    data = read(folder, scale="none", values=[7, 0], ignore=255)
    assert data.num_classes == 2
    expected = {7: 0, 0: 1, 255: -1}
    for value, label in expected.items():
        assert (data.train.targets[data.train.inputs[..., 0] == value] == label).all()
    folder = written(tmp_path / "colours", [0, 255], mode="RGB", suffix="_mask")
    data = read(folder, scale="none", values=[[255, 0, 0], [0, 255, 0]], suffix="_mask")
    assert np.array_equal(data.train.inputs[..., 0] == 0, data.train.targets == 1)


def test_images_and_masks_are_resized_alike(tmp_path: Path) -> None:
    data = read(written(tmp_path / "data", [0, 1]), size=[3, 4])
    assert data.input_shape == (3, 4, 3)
    assert data.train.targets.shape[1:] == (3, 4)
    assert set(np.unique(data.train.targets)) == {0, 1}


def test_declared_splits_and_other_names(tmp_path: Path) -> None:
    for name, n in (("train", 6), ("test", 2)):
        written(tmp_path / name, [0, 1], n)
        (tmp_path / name / "images").rename(tmp_path / name / "JPEGImages")
    data = read(tmp_path, images="JPEGImages")
    assert (len(data.train) + len(data.validation), len(data.test)) == (6, 2)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, r"values 0, 255, which do not count classes from 0.*args: \{values: \[0, 255\]\}"),
        ({"classes": 2}, r"0.png has pixels of the value 255, which is no class"),
        ({"values": [0, 255], "classes": 3}, "names 2 classes, args.classes 3"),
        ({"values": [0, [1, 2, 3]]}, "not both"),
        ({"values": [0, 0]}, "name a value twice"),
        ({"values": [[0, 0, 0], [9, 9, 9]]}, r"the colour \[255, 255, 255\], which is no class"),
        ({"ignore": [1, 2, 3]}, "args.values must name the colour"),
        ({"size": 8}, "args.size must be"),
    ],
)
def test_what_is_wrong_with_arguments(tmp_path: Path, args: dict[str, object], message: str) -> None:
    with pytest.raises(StageError) as caught:
        read(written(tmp_path, [0, 255]), **args)
    assert re.search(message, str(caught.value).replace("\n", " "))


def test_what_is_wrong_with_files(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [0, 1], mode="RGB")
    with pytest.raises(StageError, match="is a colour image"):
        read(folder)
    folder = written(tmp_path / "other", [0, 1])
    (folder / "masks" / "3.png").unlink()
    with pytest.raises(StageError, match=r"1 image of 8 .* has no mask, first 3\.png"):
        read(folder)
    (folder / "masks" / "3.png").write_bytes(b"no image")
    with pytest.raises(StageError, match=r"3\.png cannot be read as an image"):
        read(folder)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(folder / "masks" / "3.png")
    with pytest.raises(StageError, match=r"3\.png has 6x8 pixels, but its mask .* 2x2"):
        read(folder)
    (folder / "images" / "3.png").unlink()
    with pytest.raises(StageError, match=r"1 mask of 8 .* has no image, first 3\.png"):
        read(folder)


def test_masks_wherever_they_are(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [0, 1, 2], n=20)
    found = {
        cache: load(DataConfig(source=str(folder), cache=cache), Path(), tmp_path / "cache")
        for cache in ("memory", "disk", "none")
    }
    assert [is_in_memory(data.train.targets) for data in found.values()] == [True, False, False]
    assert len({data.fingerprint for data in found.values()}) == 1
    for data in found.values():
        assert data.num_classes == 3
        np.testing.assert_array_equal(np.asarray(data.test.targets), found["memory"].test.targets)
        assert class_weights(data.train.targets, "balanced") == class_weights(found["memory"].train.targets, "balanced")


def test_a_mask_that_cannot_be_read(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [0, 1], n=20)
    (folder / "masks" / "3.png").write_bytes(b"no image")
    for cache in ("memory", "none"):
        with pytest.raises(StageError, match=r"1 of 20 examples cannot be read: The mask .*3\.png"):
            load(DataConfig(source=str(folder), cache=cache))
        data = load(DataConfig(source=str(folder), cache=cache, on_bad_example="skip"))
        assert sum(map(len, (data.train, data.validation, data.test))) == 19
        assert np.array_equal(data.train.inputs[..., 0] > 0, np.asarray(data.train.targets) > 0)


def test_images_of_one_street_stay_in_one_split(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [0, 1], n=20)
    data = load(DataConfig(source=str(folder), args={"scale": "none"}, splits=Splits(key="images/([0-9])")))
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    first = {name: {str(int(number))[0] for number in split.inputs[:, 0, 0, 1]} for name, split in splits.items()}
    assert not first["train"] & first["test"]
    assert not first["train"] & first["validation"]
    assert sum(map(len, (data.train, data.validation, data.test))) == 20
