"""Generated images with several objects in them, and what segmentation and detection are to find there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from tfopt.backend.types import Array
from tfopt.backend.vision.textures import photographed, texture

_TRIES = 12
_MOST_COVERED = 0.15
"""Share of the smaller of two boxes that may overlap, where a free position is found."""
_VISIBLE = 12
"""Pixels of an object that must be seen for it to count."""
_BACKGROUND = 0


@dataclass(frozen=True, eq=False)
class Objects:
    """What is put into scenes.

    Args:
        images: (n, height, width) uint8, grey, 0 where there is nothing.
        labels: (n,), from 0.
    """

    images: Array
    labels: Array


@dataclass(frozen=True, eq=False)
class Scenes:
    """Images and what is in them.

    Args:
        images: (n, size, size, 3) uint8.
        masks: (n, size, size) uint8: 0 is background, k + 1 an object of label k.
        boxes: of each image (objects, 4) float32: left, top, right, bottom as shares of width and height.
        labels: of each image (objects,) int32.
    """

    images: Array
    masks: Array
    boxes: tuple[Array, ...]
    labels: tuple[Array, ...]


def compose(objects: Objects, n: int, size: int, most_objects: int, seed: int) -> Scenes:
    """Draws scenes: 1 to `most_objects` objects of random size and colour on a textured background.

    Args:
        objects: what is put into them, each time another one.
        n: how many scenes.
        size: height and width in pixels.
        most_objects: in one scene; one of which fewer than 12 pixels are seen has no label.
        seed: the same seed gives the same scenes.
    """
    random = np.random.default_rng(seed)
    made = [_scene(objects, size, int(random.integers(1, most_objects + 1)), random) for _ in range(n)]
    images, masks, boxes, labels = zip(*made, strict=True)
    return Scenes(np.stack(images), np.stack(masks), tuple(boxes), tuple(labels))


def _scene(objects: Objects, size: int, count: int, random: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    image = texture(random, (size, size))
    instances = np.zeros((size, size), np.int32)
    taken: list[tuple[int, int, int]] = []
    chosen = random.integers(len(objects.images), size=count)
    for number, index in enumerate(chosen, start=1):
        side = int(size * random.uniform(0.28, 0.5))
        top, left = _position(size, side, taken, random)
        taken.append((top, left, side))
        grey, covered = _sprite(objects.images[index], side, bool(random.random() < 0.5))
        colour = random.uniform(0.15, 1, 3)
        part = (slice(top, top + side), slice(left, left + side))
        painted = grey[..., np.newaxis] * colour
        image[part] = np.where(covered[..., np.newaxis], painted, image[part])
        instances[part] = np.where(covered, number, instances[part])
    pixels = (photographed(random, image) * 255).round().astype(np.uint8)
    seen = [k for k in range(1, count + 1) if np.count_nonzero(instances == k) >= _VISIBLE]
    labels = objects.labels[chosen[np.array(seen, int) - 1]].astype(np.int32)
    mask = np.full((size, size), _BACKGROUND, np.uint8)
    for k, label in zip(seen, labels, strict=True):
        mask[instances == k] = label + 1
    boxes = [_box(instances == k) for k in seen]
    return pixels, mask, np.array(boxes, np.float32).reshape(-1, 4), labels


def _sprite(image: Array, side: int, mirrored: bool) -> tuple[Array, Array]:
    """Brightness in [0.35, 1] and whether there is something, both (side, side)."""
    enlarged = Image.fromarray(image[:, ::-1] if mirrored else image).resize((side, side), Image.Resampling.BILINEAR)
    grey = np.asarray(enlarged, dtype=np.float32) / 255
    return 0.35 + 0.65 * grey, grey > 0.2


def _position(size: int, side: int, taken: list[tuple[int, int, int]], random: np.random.Generator) -> tuple[int, int]:
    """Top and left of a square, away from those that are taken where there is room."""
    position = (0, 0)
    for _ in range(_TRIES):
        top, left = random.integers(0, size - side + 1, 2).tolist()
        position = (top, left)
        if all(_covered(top, left, side, *other) <= _MOST_COVERED for other in taken):
            break
    return position


def _covered(top: int, left: int, side: int, other_top: int, other_left: int, other_side: int) -> float:
    height = min(top + side, other_top + other_side) - max(top, other_top)
    width = min(left + side, other_left + other_side) - max(left, other_left)
    return max(height, 0) * max(width, 0) / min(side, other_side) ** 2


def _box(where: Array) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the pixels that are True, as shares of the size."""
    height, width = where.shape
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height
