"""Generated colour images of up to three objects on textured backgrounds, with the class of each pixel."""

from __future__ import annotations

import numpy as np

from tfopt.backend.data.datasets._scenes import Source, scenes_of
from tfopt.backend.data.images.pixels import Scale, pixels, scaled
from tfopt.backend.data.prepared import Prepared


def load(
    *,
    objects: Source = "shapes",
    size: int = 64,
    train: int = 2000,
    test: int = 500,
    most_objects: int = 3,
    seed: int = 0,
    scale: Scale = "unit",
) -> Prepared:
    """Makes the scenes; those of `shapes` and `digits` need no network.

    Args:
        objects: `shapes` are drawn (5 classes); `digits` are scikit-learn's (10), `mnist` and `fashion_mnist` come from
            the cache of `keras.datasets`, and are downloaded into it where they are missing (10).
        size: height and width in pixels.
        train: scenes for training and validation.
        test: scenes for testing, of objects that are in none of training.
        most_objects: in one scene; one of which fewer than 12 pixels are seen does not count.
        seed: of the scenes.
        scale: `unit` results in 0..1, `none` keeps 0..255.

    Returns:
        Images (n, size, size, 3) float32 and maps (n, size, size): 0 is background, then the classes of the objects.

    Raises:
        StageError: an argument is out of range.
        EnvironmentProblem: the data set of the objects cannot be had.
    """
    scenes, names = scenes_of(objects, size, train, test, most_objects, seed)
    examples = {name: (scaled(one.images, scale), one.masks.astype(np.int32)) for name, one in scenes.items()}
    return Prepared(examples, raw=pixels(scale=scale), label_names=("background", *names))
