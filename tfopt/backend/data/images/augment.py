"""Random changes of training images, as stateless operations.

Every random number belongs to one (seed, epoch, example), so neither the batch size nor a resumed run changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from tfopt.backend.data.arrays.reading import named
from tfopt.backend.data.arrays.views import extremes
from tfopt.backend.data.checks import NO_TARGET
from tfopt.backend.data.splits import Split
from tfopt.backend.types import ExampleArrays, Nested
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.data import Augment
from tfopt.errors import StageError

Fetch: TypeAlias = Callable[[tf.Tensor], tuple[Nested, ...]]
"""From example indices to inputs and targets, each a tensor or a dict of tensors, and weights where there are some."""

_SHIFT, _CROP, _FLIP, _LAMBDA, _PARTNER = range(1, 6)
"""What keeps the seeds of the changes apart."""


def check_augment(split: Split, augment: Augment, anchors: AnchorGrid | None = None) -> None:
    """Whether these examples can be changed like this.

    Args:
        split: the training split.
        augment: which changes.
        anchors: of a detector's targets; None for other data.

    Raises:
        StageError: they are no images, a shift is less than a pixel, mixup has no single target to mix, or boxes cannot
            be moved with their images.
    """
    if anchors is not None:
        _check_boxes(augment, anchors)
    if isinstance(split.inputs, dict) or split.inputs.ndim not in (3, 4):
        shape = (
            {name: array.shape[1:] for name, array in split.inputs.items()}
            if isinstance(split.inputs, dict)
            else split.inputs.shape[1:]
        )
        raise StageError(
            f"data.augment changes images, (height, width) or with channels, but the examples have {shape}.",
            "Remove data.augment.",
            code="incompatible_shapes",
        )
    height, width = split.inputs.shape[1:3]
    if augment.shift and not round(augment.shift * max(height, width)):
        raise StageError(
            f"data.augment.shift of {augment.shift:.3%} is less than a pixel of {height}x{width}: nothing would move.",
            f"Write at least {1 / max(height, width):.1%}.",
            code="out_of_range",
        )
    if any(array.ndim > 1 for array in (() if split.weights is None else named(split.weights).values())):
        raise StageError(
            "data.augment moves images, but the weights of positions in them would stay where they are.",
            "Remove data.augment, or give one weight for each example.",
            code="conflicting_keys",
        )
    if augment.mixup and isinstance(split.targets, dict):
        raise StageError(
            "data.augment.mixup needs one output, but the targets have several.",
            "Remove mixup.",
            code="conflicting_keys",
        )


def _check_boxes(augment: Augment, anchors: AnchorGrid) -> None:
    if augment.model_copy(update={"flip": "none", "function": None}) != Augment():
        raise StageError(
            "data.augment.shift, crop and mixup change images, but the boxes in them would stay where they are.",
            "Of boxes, use flip, or a function of your own.",
            code="conflicting_keys",
        )
    for axis, kind in enumerate(("horizontal", "vertical")):
        if augment.flip in (kind, "both") and anchors.mirrored(axis) is None:
            raise StageError(
                f"data.augment.flip: the anchors are not symmetric, because not all strides {list(anchors.strides)} "
                f"divide {anchors.size[1 - axis]} pixels.",
                "Give data.args a size that the strides divide, or remove flip.",
                code="conflicting_keys",
            )


def augmented(
    fetch: Fetch, split: Split, augment: Augment, seed: int, epoch: tf.Tensor, anchors: AnchorGrid | None = None
) -> Fetch:
    """`fetch`, with the changes of one epoch.

    Args:
        fetch: returns the unchanged examples; float targets where mixup is on.
        split: what it fetches from.
        augment: which changes.
        seed: of the run.
        epoch: scalar.
        anchors: of a detector's targets, which are mirrored with their images; None for other data.

    Returns:
        A function from example positions to changed inputs and targets. Where a model reproduces its input, the target
        is changed as the input is. Each target that has a value for each pixel moves with its image; the gap has no
        target where some pixels have none (-1), else class 0.
    """
    images = split.inputs
    if isinstance(images, dict):
        raise TypeError("check_augment refuses several inputs")
    height, width = images.shape[1:3]
    n = len(split)
    gaps = {} if split.targets is split.inputs or anchors is not None else _gaps_of_maps(split.targets, (height, width))

    def uniform(what: int, columns: int) -> tf.Tensor:
        return tf.random.stateless_uniform([n, columns], seed=_key(seed, what, epoch))

    # One table per change and epoch, a row an example: cheap, and independent of how batches are cut.
    moves = [
        (pad, uniform(what, 2))
        for what, pad in (
            (_SHIFT, (round(augment.shift * height), round(augment.shift * width))),
            (_CROP, (augment.crop, augment.crop)),
        )
        if any(pad)
    ]
    flips = uniform(_FLIP, 2) if augment.flip != "none" else None

    def moved(images: tf.Tensor, positions: tf.Tensor, fill: int = 0) -> tf.Tensor:
        grey = images.shape.rank == 3
        images = images[..., tf.newaxis] if grey else images
        for pad, table in moves:
            images = _moved(images, pad, tf.gather(table, positions), fill)
        if flips is not None:
            images = _flipped(images, augment.flip, tf.gather(flips, positions))
        return images[..., 0] if grey else images

    def change(positions: tf.Tensor) -> tuple[Nested, ...]:
        images, targets, *more = fetch(positions)
        images = moved(images, positions)
        if split.targets is split.inputs:
            # A function of the user's own, which comes first, may have made them differ.
            return images, images if augment.function is None else moved(targets, positions), *more
        if anchors is not None and flips is not None:
            targets = _mirrored(targets, anchors, augment.flip, tf.gather(flips, positions))
        if isinstance(targets, dict):
            return (
                images,
                {**targets, **{name: moved(targets[name], positions, gap) for name, gap in gaps.items()}},
                *more,
            )
        return images, moved(targets, positions, gaps[""]) if gaps else targets, *more

    if not augment.mixup:
        return change
    weights = _beta(n, augment.mixup, _key(seed, _LAMBDA, epoch))
    partners = tf.random.experimental.stateless_shuffle(tf.range(n), seed=_key(seed, _PARTNER, epoch))

    def mixed(positions: tf.Tensor) -> tuple[Nested, ...]:
        share = tf.gather(weights, positions)
        parts = zip(change(positions), change(tf.gather(partners, positions)), strict=True)
        return tuple(_mix(own, other, share) for own, other in parts)

    return mixed


def _gaps_of_maps(targets: ExampleArrays, size: tuple[int, int]) -> dict[str, int]:
    """The class that fills the gap of a moved map, by the name of each target that is a map of the images.

    Args:
        targets: an array, whose name is empty, or arrays by name.
        size: height and width of the images.
    """
    maps = {name: array for name, array in named(targets).items() if array.ndim in (3, 4) and array.shape[1:3] == size}
    without = {name for name, array in maps.items() if array.dtype.kind == "i" and extremes(array)[0] == NO_TARGET}
    return {name: NO_TARGET if name in without else 0 for name in maps}


def _key(seed: int, what: int, epoch: tf.Tensor) -> tf.Tensor:
    # A seed is two numbers: the run and the change share the first without meeting, the epoch is the second.
    return tf.stack([tf.constant((seed * 8 + what) % 2**62, tf.int64), tf.cast(epoch, tf.int64)])


def _moved(images: tf.Tensor, pad: tuple[int, int], draws: tf.Tensor, fill: int = 0) -> tf.Tensor:
    """Pads with `fill` on every side and cuts the original size out at a random place, per image."""
    height, width = images.shape[1:3]
    padded = tf.pad(images, [[0, 0], [pad[0]] * 2, [pad[1]] * 2, [0, 0]], constant_values=fill)
    places = [tf.minimum(tf.cast(draws[:, k] * (2 * p + 1), tf.int32), 2 * p) for k, p in enumerate(pad)]
    rows = places[0][:, tf.newaxis] + tf.range(height)
    columns = places[1][:, tf.newaxis] + tf.range(width)
    return tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def _flipped(images: tf.Tensor, flip: str, draws: tf.Tensor) -> tf.Tensor:
    for k, (axis, kind) in enumerate(((2, "horizontal"), (1, "vertical"))):
        if flip in (kind, "both"):
            mirror = (draws[:, k] < 0.5)[:, tf.newaxis, tf.newaxis, tf.newaxis]
            images = tf.where(mirror, tf.reverse(images, [axis]), images)
    return images


def _mirrored(targets: Nested, anchors: AnchorGrid, flip: str, draws: tf.Tensor) -> dict[str, tf.Tensor]:
    """Boxes and classes of a detector, of the images that `_flipped` mirrors with the same draws: each anchor takes the
    targets of the one on the other side, whose distance along the axis changes its sign."""
    boxes, classes = targets[BOXES], targets[CLASSES]
    for axis, kind in enumerate(("horizontal", "vertical")):
        other = anchors.mirrored(axis)
        if flip in (kind, "both") and other is not None:
            mirror = draws[:, axis] < 0.5
            sign = tf.constant([1.0 - 2.0 * (k == axis) for k in range(4)], boxes.dtype)
            boxes = tf.where(mirror[:, tf.newaxis, tf.newaxis], tf.gather(boxes, other, axis=1) * sign, boxes)
            classes = tf.where(mirror[:, tf.newaxis], tf.gather(classes, other, axis=1), classes)
    return {BOXES: boxes, CLASSES: classes}


def _beta(n: int, alpha: float, key: tf.Tensor) -> tf.Tensor:
    """Beta(alpha, alpha) draws, shape (n,).

    As a ratio of two gamma draws, in logarithms: for a small alpha both draws underflow, and their ratio with them
    (measured at 0.001: a quarter of the shares were 0.5). Gamma(a) is Gamma(a + 1) * U^(1/a) (Marsaglia, Tsang 2000).
    """
    keys = tf.random.experimental.stateless_split(key, 2)
    log_gamma = tf.math.log(tf.random.stateless_gamma([n, 2], keys[0], np.float64(alpha + 1), dtype=tf.float64))
    log_uniform = tf.math.log1p(-tf.random.stateless_uniform([n, 2], keys[1], dtype=tf.float64))
    log_draws = log_gamma + log_uniform / alpha
    return tf.cast(tf.sigmoid(log_draws[:, 0] - log_draws[:, 1]), tf.float32)


def _mix(own: tf.Tensor, other: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    share = tf.reshape(share, [-1] + [1] * (own.shape.rank - 1))
    return share * tf.cast(own, tf.float32) + (1 - share) * tf.cast(other, tf.float32)
