"""Scenes of two splits, made of different objects: what the data sets of scenes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from tfopt.backend.data.label_names import label_names_of
from tfopt.backend.types import Array
from tfopt.backend.vision.scenes import Objects, Scenes, compose
from tfopt.backend.vision.shapes import NAMES, drawn_shapes
from tfopt.errors import StageError

Source = Literal["shapes", "digits", "mnist", "fashion_mnist"]
"""Drawn shapes, scikit-learn's digits, or the images of a data set in the cache of `keras.datasets`."""
_DRAWN = 500
"""Shapes of each split."""


def scenes_of(
    source: Source, size: int, train: int, test: int, most_objects: int, seed: int
) -> tuple[dict[str, Scenes], tuple[str, ...]]:
    """Scenes by split, and the names of their objects.

    Args:
        source: of the objects; those of the test split are in no scene of training.
        size: height and width in pixels.
        train: scenes for training.
        test: scenes for testing.
        most_objects: in one scene.
        seed: of the scenes.

    Raises:
        StageError: an argument is out of range.
        EnvironmentProblem: the data set is neither in the cache nor to be downloaded.
    """
    for name, value, least in (
        ("size", size, 16),
        ("train", train, 1),
        ("test", test, 1),
        ("most_objects", most_objects, 1),
        ("seed", seed, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise StageError(
                f"args.{name} must be a whole number of at least {least}. Got {value!r}.", code="invalid_argument"
            )
    objects, names = _objects(source)
    made = {
        name: compose(objects[name], n, size, most_objects, seed * len(objects) + number)
        for number, (name, n) in enumerate((("train", train), ("test", test)))
    }
    return made, names


def _objects(source: Source) -> tuple[dict[str, Objects], tuple[str, ...]]:
    if source == "shapes":
        return {name: Objects(*drawn_shapes(_DRAWN, seed)) for seed, name in enumerate(("train", "test"))}, NAMES
    if source == "digits":
        from tfopt.backend.data.datasets import digits

        images, labels = digits.load()
        held = np.arange(len(images)) % 5 == 0
        parts = {"train": (images[~held], labels[~held]), "test": (images[held], labels[held])}
        return {name: _grey(*part) for name, part in parts.items()}, _names(digits.load)
    if source not in ("mnist", "fashion_mnist"):
        raise StageError(
            f"args.objects must be shapes, digits, mnist or fashion_mnist. Got {source!r}.", code="invalid_argument"
        )
    from tfopt.backend.data.datasets import fashion_mnist, mnist

    module = mnist if source == "mnist" else fashion_mnist
    pairs = dict(zip(("train", "test"), module.load(), strict=True))
    return {name: _grey(*pair) for name, pair in pairs.items()}, _names(module.load)


def _grey(images: Array, labels: Array) -> Objects:
    return Objects((images[..., 0] * 255).round().astype(np.uint8), labels)


def _names(load: Callable[..., object]) -> tuple[str, ...]:
    return label_names_of(load) or ()
