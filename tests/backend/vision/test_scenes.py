"""Scenes: what is said to be in them is there."""

from __future__ import annotations

import numpy as np

from tfopt.backend.vision.scenes import Objects, compose
from tfopt.backend.vision.shapes import NAMES, drawn_shapes


def test_masks_and_boxes_belong_together() -> None:
    scenes = compose(Objects(*drawn_shapes(20, seed=0)), 30, 48, 3, seed=1)
    assert scenes.images.shape == (30, 48, 48, 3)
    assert scenes.images.dtype == np.uint8
    assert {len(labels) for labels in scenes.labels} == {1, 2, 3}
    assert set(np.concatenate(scenes.labels)) == set(range(len(NAMES)))
    for mask, boxes, labels in zip(scenes.masks, scenes.boxes, scenes.labels, strict=True):
        assert set(np.unique(mask)) == {0, *(labels + 1)}
        inside = np.zeros_like(mask, bool)
        for (left, top, right, bottom), label in zip((boxes * 48).round().astype(int), labels, strict=True):
            part = mask[top:bottom, left:right] == label + 1
            assert part[0].any()
            assert part[-1].any()
            assert part[:, 0].any()
            assert part[:, -1].any()
            inside[top:bottom, left:right] = True
        assert not (mask[~inside] > 0).any()


def test_the_seed_decides() -> None:
    objects = Objects(*drawn_shapes(10, seed=0))
    first, again, other = (compose(objects, 3, 32, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
