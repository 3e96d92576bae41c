"""Segmentation and detection: the images whose prediction a file changed, as pictures."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.explain.predictions import explain_output, explain_predictions
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.matching import targets_of
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf

IMAGES = np.random.RandomState(0).rand(5, 16, 16, 3).astype(np.float32)


def pixels(uri: str | None) -> np.ndarray:
    assert uri is not None
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_maps_show_the_images_with_the_most_changed_pixels() -> None:
    truth = np.zeros((5, 16, 16), np.int32)
    truth[:, 4:12, 4:12], truth[:, 0] = 1, -1
    before = np.eye(3, dtype=np.float32)[np.maximum(truth, 0)]
    after = before.copy()
    after[3, 4:8, 4:8] = [0, 0, 1]  # 16 pixels become class 2
    after[1, 5, 5] = [0, 0, 1]
    after[2, 0, 0] = [0, 0, 1]  # does not count
    compile = Compile.model_validate({"loss": {"name": "sparse_categorical_crossentropy", "ignore_class": -1}})
    found = explain_predictions(
        before, after, Split(IMAGES, truth), compile, against="train", name="test", class_names=("sky", "cat", "dog")
    )
    assert (found.changed, found.lost, found.gained) == (17, 17, 0)
    assert [one.index for one in found.shown] == [3, 1]
    first = found.shown[0]
    assert first.before == first.truth == "sky 73%, cat 27%"
    assert first.after == "sky 73%, cat 20%, dog 7%; 16 pixels of 240 changed"
    assert first.helped is False
    picture = pixels(first.picture)
    assert picture.shape == (96, 4 * 96 + 3 * 3, 3)
    _, real, model, file = (picture[:, k * 99 : k * 99 + 96] for k in range(4))
    assert (real[:6] == 255).all()  # no class
    assert (real[6:] == model[6:]).all()
    assert (model != file).any(axis=-1).sum() == 16 * 36
    assert "from left to right" in found.notes[0]


def test_masks_of_yes_and_no_are_maps_too() -> None:
    truth = np.zeros((5, 16, 16, 1), np.float32)
    before = np.full(truth.shape, 0.1, np.float32)
    after = before.copy()
    after[2, :2] = 0.9
    compile = Compile.model_validate({"loss": "binary_crossentropy"})
    found = explain_predictions(before, after, Split(IMAGES, truth), compile, against="train", name="test")
    assert [(one.index, one.after) for one in found.shown] == [
        (2, "class 0 88%, class 1 12%; 32 pixels of 256 changed")
    ]
    assert found.shown[0].picture is not None


def test_detections_show_the_images_with_other_objects() -> None:
    grid = AnchorGrid(size=(16, 16), strides=(8,), scales=(0.5,), ratios=(1.0,))
    anchors = grid.boxes()
    box = anchors[[1]]
    targets = targets_of([box] * 5, [np.array([1])] * 5, anchors)
    split = Split(IMAGES, targets)
    data = replace(Data(split, split, split, source="boxes", anchors=grid), label_names=("cat", "dog"))
    before = {"boxes": targets["boxes"], "classes": np.eye(3, dtype=np.float32)[targets["classes"]]}
    after = {"boxes": before["boxes"], "classes": before["classes"].copy()}
    after["classes"][2, 1] = [0.6, 0.3, 0.1]  # not found any more
    after["classes"][4, 3] = [0.1, 0.8, 0.1]  # a cat that is not there
    compile = Compile.model_validate(
        {"loss": {"boxes": "box_huber", "classes": "hard_negative_crossentropy"}, "metrics": {"boxes": []}}
    ).of_model(["boxes", "classes"])
    found = explain_output(before, after, data, compile, against="train")
    assert (found.examples, found.changed, found.lost, found.indices) == (5, 2, 2, [2, 4])
    assert [(one.truth, one.before, one.after) for one in found.shown] == [
        ("dog", "dog (1.00)", "nothing"),
        ("dog", "dog (1.00)", "dog (1.00), cat (0.80)"),
    ]
    assert all(one.helped is False for one in found.shown)
    _, real, model, file = (pixels(found.shown[0].picture)[:, k * 99 : k * 99 + 96] for k in range(4))
    assert (real == model).all()
    assert (model != file).any()
