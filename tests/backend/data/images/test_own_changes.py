"""Augmentation by a function of the user's own, and boxes that are mirrored with their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.data.batches import training_batches
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.detections import objects_of
from tfopt.backend.vision.matching import targets_of
from tfopt.catalog.own_code import importable
from tfopt.core.config.data import Augment
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

CODE = """
import tensorflow as tf

def noisy(x, y, seed):
    return x + tf.random.stateless_normal(tf.shape(x), seed), {"a": y["a"], "b": y["b"] + 1}

def smaller(x, y, seed):
    return x[:2], y

def alone(x, y, seed):
    return x

def broken(x, y, seed):
    return x.rotated(), y
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ownchanges.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def data() -> Data:
    x = np.arange(30, dtype=np.float32).reshape(10, 3)
    split = Split(x, {"a": np.arange(10, dtype=np.int32), "b": np.zeros((10, 1), np.float32)})
    return Data(split, split, split, source="rows")


def test_changes_belong_to_run_epoch_and_example(folder: Path) -> None:
    augment = Augment(function="ownchanges:noisy")

    def rows(batch_size: int, first_epoch: int = 0) -> dict[tuple[int, int], np.ndarray]:
        found, count = {}, 10 * first_epoch
        with importable(folder):
            batches = training_batches(data(), batch_size, 2, 5, augment=augment, first_epoch=first_epoch)
            for x, y in batches.as_numpy_iterator():
                assert (y["b"] == 1).all()
                for row, label in zip(x, y["a"], strict=True):
                    found[count // 10, int(label)] = row
                    count += 1
        return found

    whole, others, later = rows(4), rows(3), rows(4, first_epoch=1)
    assert (len(whole), len(later)) == (20, 10)
    assert all(np.array_equal(others[key], row) for key, row in whole.items())
    assert all(np.array_equal(whole[key], row) for key, row in later.items())
    noise = np.stack([row - np.asarray(data().train.inputs)[key[1]] for key, row in whole.items()])
    assert len(np.unique(noise)) > 0.9 * noise.size
    assert 0.6 < noise.std() < 1.4


@pytest.mark.parametrize(
    ("name", "message"),
    [("smaller", r"shape \(2,\), and had \(3,\)"), ("alone", "returned a"), ("broken", "failed: AttributeError")],
)
def test_functions_that_cannot_be(name: str, message: str, folder: Path) -> None:
    with importable(folder), pytest.raises(StageError, match=f"ownchanges:{name}.*{message}"):
        training_batches(data(), 4, 1, 0, augment=Augment(function=f"ownchanges:{name}"))


def test_boxes_are_mirrored_with_their_images() -> None:
    grid = AnchorGrid(size=(32, 48), strides=(8, 16), scales=(0.3, 0.6))
    anchors = grid.boxes()
    boxes = [np.array([[0.1, 0.2, 0.4, 0.6], [0.6, 0.5, 0.95, 0.9]], np.float32)] * 6
    targets = targets_of(boxes, [np.array([0, 1])] * 6, anchors)
    images = np.zeros((6, 32, 48, 1), np.float32)
    images[:, 6:20, 5:20] = 1
    split = Split(images, targets)
    found = Data(split, split, split, source="boxes", anchors=grid)
    seen = set()
    for x, y in training_batches(found, 6, 3, 0, augment=Augment(flip="both")).as_numpy_iterator():
        for image, offsets, classes in zip(x, y["boxes"], y["classes"], strict=True):
            sides = (bool(image[:, :20].sum() < image[:, 28:].sum()), bool(image[:12].sum() < image[20:].sum()))
            seen.add(sides)
            expected = boxes[0].copy()
            for axis, side in enumerate(sides):
                if side:
                    expected[:, [axis, axis + 2]] = 1 - expected[:, [axis + 2, axis]]
            real, labels = objects_of(offsets, classes, anchors)
            np.testing.assert_allclose(real[np.argsort(labels)], expected, atol=1e-5)
    assert len(seen) == 4
    odd = AnchorGrid(size=(32, 44), strides=(8, 16), scales=(0.3, 0.6))
    with pytest.raises(StageError, match="not symmetric"):
        training_batches(Data(split, split, split, "boxes", anchors=odd), 6, 1, 0, augment=Augment(flip="horizontal"))
    with pytest.raises(StageError, match="boxes in them would stay"):
        training_batches(found, 6, 1, 0, augment=Augment(crop=2))
