"""Lists of boxes of COCO and in .csv, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tfopt.backend.data.arrays.sparse import SparseRows
from tfopt.backend.data.arrays.views import SelectedRows
from tfopt.backend.data.load import Data, load
from tfopt.backend.vision.detections import objects_of
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

WIDTH, HEIGHT = 48, 32
BOXES = {"0.png": [("dog", 4, 4, 20, 20), ("cat", 24, 8, 40, 30)], "1.png": [("cat", 8, 2, 24, 26)]}


def images(folder: Path, n: int = 8) -> Path:
    folder.mkdir()
    for k in range(n):
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), k * 20, np.uint8)).save(folder / f"{k}.png")
    return folder


def objects(n: int = 8) -> dict[str, list[tuple[str, int, int, int, int]]]:
    return {f"{k}.png": BOXES[f"{k % 2}.png"] for k in range(n)}


def coco(n: int = 8) -> dict[str, Any]:
    ids = {"cat": 7, "dog": 3}
    return {
        "images": [{"id": k, "file_name": f"{k}.png"} for k in range(n)],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
        "annotations": [
            {"image_id": k, "category_id": ids[name], "bbox": [left, top, right - left, bottom - top]}
            for k, own in enumerate(objects(n).values())
            for name, left, top, right, bottom in own
        ],
    }


def written(folder: Path, kind: str) -> Path:
    images(folder / "pictures")
    path = folder / f"boxes.{kind}"
    if kind == "json":
        path.write_text(json.dumps(coco()))
    else:
        rows = [",".join(map(str, (image, *box))) for image, own in objects().items() for box in own]
        path.write_text("\n".join(["image,label,left,top,right,bottom", *rows]))
    return path


def read(path: Path, **args: object) -> Data:
    return load(DataConfig(source=str(path), args={"images": "pictures", **args}))


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("size", [None, [64, 64]])
def test_boxes_arrive_where_they_are(tmp_path: Path, kind: str, size: list[int] | None) -> None:
    data = read(written(tmp_path, kind), scale="none", size=size)
    assert data.label_names == (("dog", "cat") if kind == "json" else ("cat", "dog"))
    assert data.num_outputs == 2
    assert data.input_shape == ((HEIGHT, WIDTH, 3) if size is None else (64, 64, 3))
    assert data.anchors is not None
    for split in (data.train, data.validation, data.test):
        for image, offsets, classes in zip(split.inputs, split.targets["boxes"], split.targets["classes"], strict=True):
            boxes, labels = objects_of(offsets, classes, data.anchors.boxes())
            expected = BOXES[f"{int(image[0, 0, 0]) // 20 % 2}.png"]
            names = [data.label_names[label] for label in labels]
            assert sorted(names) == sorted(name for name, *_ in expected)
            for name, box in zip(names, boxes, strict=True):
                (corners,) = [each[1:] for each in expected if each[0] == name]
                assert np.allclose(box * [WIDTH, HEIGHT, WIDTH, HEIGHT], corners, atol=1e-2)


def test_declared_splits(tmp_path: Path) -> None:
    path = written(tmp_path, "json")
    (tmp_path / "test.json").write_text(json.dumps(coco(3)))
    data = read(path, test="test.json")
    assert (len(data.train) + len(data.validation), len(data.test)) == (8, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": None}, "has no list 'images'"),
        ({"annotations": [{"image_id": 0}]}, r"annotations\[0\] has no 'category_id'"),
        (
            {"annotations": [{"image_id": 99, "category_id": 7, "bbox": [0, 0, 1, 1]}]},
            "is of the image 99, which is not",
        ),
        ({"annotations": [{"image_id": 0, "category_id": 1, "bbox": [0, 0, 1, 1]}]}, "is of the category 1, which"),
        ({"annotations": [{"image_id": 0, "category_id": 7, "bbox": [0, 0, 1]}]}, r"has the bbox \[0, 0, 1\]"),
        ({"annotations": [{"image_id": 0, "category_id": 7, "bbox": [40, 0, 20, 9]}]}, r"a box of 0\.png is .* 48x32"),
        ({"annotations": [{"image_id": 0, "category_id": 7, "bbox": [4, 4, 0, 9]}]}, r"a box of 0\.png is"),
        ({"annotations": [{"image_id": 0, "category_id": 7, "bbox": [-1, 0, 1, 5]}]}, r"a box of 0\.png is"),
        ({"annotations": []}, "lists no objects"),
        ({"images": [{"id": k, "file_name": f"{k}.jpg"} for k in range(8)]}, r"lists 0\.jpg, but there is no"),
    ],
)
def test_what_is_wrong_with_coco(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = written(tmp_path, "json")
    path.write_text(json.dumps({**coco(), **change}))
    with pytest.raises(StageError, match=message):
        read(path)


def test_what_is_wrong_with_files_and_keys(tmp_path: Path) -> None:
    path = written(tmp_path, "csv")
    path.write_text(path.read_text().replace("left", "x"))
    with pytest.raises(StageError, match="there is no column 'left'"):
        read(path)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StageError, match=r"cannot be read as \.json"):
        read(tmp_path / "bad.json")


@pytest.mark.parametrize("size", [None, [16, 24]])
def test_boxes_wherever_they_are(tmp_path: Path, size: list[int] | None) -> None:
    path = written(tmp_path, "csv")
    keys = {"source": str(path), "args": {"images": "pictures", "size": size}}
    found = {
        cache: load(DataConfig(**keys, cache=cache), Path(), tmp_path / "c") for cache in ("memory", "disk", "none")
    }
    assert [isinstance(data.train.targets["boxes"], SparseRows | SelectedRows) for data in found.values()] == [
        False,
        True,
        True,
    ]
    assert len({data.fingerprint for data in found.values()}) == 1
    height, width = size or (HEIGHT, WIDTH)
    stored = [file.stat().st_size for file in (tmp_path / "c").rglob("rows.npy")]
    assert stored == [8 * height * width * 3 + 128], "images only; targets are in memory"


def test_an_image_that_cannot_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, "csv")
    (tmp_path / "pictures" / "2.png").write_bytes(b"no image")
    keys = {"source": str(path), "args": {"images": "pictures", "size": [16, 24]}, "cache": "none"}
    with pytest.raises(StageError, match=r"1 of 8 examples cannot be read: .*2\.png"):
        load(DataConfig(**keys))
    data = load(DataConfig(**keys, on_bad_example="skip"))
    assert sum(map(len, (data.train, data.validation, data.test))) == 7
