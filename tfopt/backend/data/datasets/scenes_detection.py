"""Generated colour images of up to three objects on textured backgrounds, with a box around each object."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.backend.data.annotated.detection import Annotated, detection_data
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
    strides: Sequence[int] = (8, 16),
    scales: Sequence[float] = (0.28, 0.4),
    ratios: Sequence[float] = (1.0, 2.0, 0.5),
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
        strides: of the feature maps with anchors, in pixels.
        scales: for each stride the side of a square anchor, as a share of the image.
        ratios: width over height of the anchors at each position.

    Returns:
        Images (n, size, size, 3) float32; targets `boxes` (n, anchors, 4) float32 and `classes` (n, anchors), 0 for
        background, then the classes of the objects.

    Raises:
        StageError: an argument is out of range.
        EnvironmentProblem: the data set of the objects cannot be had.
    """
    scenes, names = scenes_of(objects, size, train, test, most_objects, seed)
    splits = {name: Annotated(scaled(one.images, scale), one.boxes, one.labels) for name, one in scenes.items()}
    return detection_data(splits, names, pixels(scale=scale), strides, scales, ratios)
