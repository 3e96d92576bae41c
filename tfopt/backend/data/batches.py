"""Batches for training and evaluation, from examples in memory or read when they are needed.

One dataset covers all epochs of a stage: no warm-up between epochs, and the shuffling of epoch k is a function of
(seed, k) alone, so a resumed run sees exactly what the uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.data.arrays.order import shuffled
from tfopt.backend.data.arrays.reading import all_in_memory, named
from tfopt.backend.data.arrays.tensors import gathered
from tfopt.backend.data.arrays.views import window_of
from tfopt.backend.data.images.augment import Fetch, augmented, check_augment
from tfopt.backend.data.images.own_changes import with_own_changes
from tfopt.backend.data.splits import Data, Split, num_examples
from tfopt.backend.data.token_changes import TokenChanger
from tfopt.backend.types import ExampleArrays, Nested
from tfopt.core.config.data import Augment, changes_images
from tfopt.errors import StageError

_READ_AHEAD = 2
"""Batches that are read before they are needed, of examples that are not in memory."""


def training_batches(
    data: Data,
    batch_size: int,
    epochs: int,
    seed: int,
    *,
    augment: Augment | None = None,
    first_epoch: int = 0,
    first_step: int = 0,
    one_hot: int | None = None,
    extra: Nested = None,
) -> tf.data.Dataset:
    """All batches of a stage, shuffled again in every epoch.

    Args:
        data: the splits; only `train` is read.
        batch_size: examples per step; the last batch of an epoch may be smaller.
        epochs: of the whole stage.
        seed: of the shuffling and the augmentation.
        augment: random changes of images, or of tokens.
        first_epoch: where to go on after an interruption.
        first_step: of that epoch; the examples of the steps before it are not read.
        one_hot: turn labels into vectors of this length; mixup does so itself, see `one_hot_depth`.
        extra: arrays (nested) with a row for each training example, e.g. a teacher's outputs; where `augment.tokens`
            has `variants`, those of the first variant, then of the second.

    Returns:
        (inputs, targets), (inputs, targets, weights) where examples have weights, or with `extra` (inputs, targets,
        weights or None, rows of `extra`), finite:
        `(epochs - first_epoch) * steps_per_epoch(len(data.train), batch_size) - first_step` batches.

    Raises:
        StageError: the examples cannot be augmented like this.
    """
    split = data.train
    # Outside of the pipeline, whose functions TensorFlow would rewrite.
    of_images = augment if changes_images(augment) else None
    if of_images is not None:
        check_augment(split, of_images, data.anchors)
    of_tokens = TokenChanger(data, augment.tokens, seed) if augment is not None and augment.tokens is not None else None
    one_hot = one_hot if one_hot is not None else one_hot_depth(data, augment)
    fetch = _fetch(split, one_hot)
    if split.weights is not None:
        fetch = _with(fetch, _rows(split.weights))
    taught = None if extra is None else _rows(extra)
    no_weights = () if split.weights is not None else (None,)
    if augment is not None and augment.function is not None:
        # Outside of the pipeline, in which TensorFlow would put an error into words of its own; as a graph too, in
        # which code fails that is not made of TensorFlow's operations.
        change = with_own_changes(fetch, augment.function, seed, tf.constant(first_epoch, tf.int64))
        change(tf.constant([0]))
        tf.function(change, autograph=False).get_concrete_function(tf.constant([0]))
    n = len(split)
    steps = -(-n // batch_size)
    window = max((window_of(array) or 0 for array in named(split.inputs).values()), default=0)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed * 8 % 2**62, tf.int64), epoch])
        order = shuffled(n, key, window)
        draw = fetch
        if augment is not None and augment.function is not None:
            draw = with_own_changes(draw, augment.function, seed, epoch)
        if of_tokens is not None:
            draw = of_tokens.changed(draw, epoch)
        if of_images is not None:
            draw = augmented(draw, split, of_images, seed, epoch, data.anchors)
        if taught is not None:
            first = 0 if of_tokens is None else of_tokens.first_row(epoch)
            draw = _with(draw, lambda positions: taught(positions + first), *no_weights)
        begin = tf.where(tf.equal(epoch, first_epoch), tf.constant(first_step * batch_size, tf.int64), 0)
        starts = tf.data.Dataset.range(begin, n, batch_size, output_type=tf.int32)
        return starts.map(
            lambda start: draw(order[start : start + batch_size]),
            num_parallel_calls=1 if window else 2,
            deterministic=True,
        )

    batches = tf.data.Dataset.range(first_epoch, epochs).flat_map(epoch_batches)
    batches = batches.apply(tf.data.experimental.assert_cardinality((epochs - first_epoch) * steps - first_step))
    return batches.prefetch(tf.data.AUTOTUNE if split.in_memory else _READ_AHEAD)


def evaluation_batches(
    split: Split, batch_size: int, *, one_hot: int | None = None, weights: bool = False
) -> tf.data.Dataset:
    """One pass over a split, in its order: (inputs, targets), with weights of the examples where asked for and there.

    Args:
        split: the examples.
        batch_size: examples per batch; the last may be smaller.
        one_hot: turn labels into vectors of this length, as a model trained with mixup needs it.
        weights: whether weights of the examples are wanted.
    """
    fetch = _fetch(split, one_hot)
    if weights and split.weights is not None:
        fetch = _with(fetch, _rows(split.weights))
    return _in_order(fetch, len(split), batch_size, split.in_memory)


def input_batches(inputs: ExampleArrays, batch_size: int) -> tf.data.Dataset:
    """The inputs alone, in order.

    Args:
        inputs: of any kind.
        batch_size: examples per batch; the last may be smaller.
    """
    return _in_order(gathered(inputs), num_examples(inputs), batch_size, all_in_memory(inputs))


def _in_order(fetch: Callable[[tf.Tensor], Nested], stop: int, batch_size: int, in_memory: bool) -> tf.data.Dataset:
    starts = tf.data.Dataset.range(0, stop, batch_size, output_type=tf.int32)
    batches = starts.map(
        lambda start: fetch(tf.range(start, tf.minimum(start + batch_size, stop))), num_parallel_calls=2
    )
    return batches.prefetch(tf.data.AUTOTUNE if in_memory else _READ_AHEAD)


def one_hot_depth(data: Data, augment: Augment | None) -> int | None:
    """Length of the one-hot targets that mixup needs; None where targets stay as they are."""
    if augment is None or not augment.mixup:
        return None
    return data.num_classes


def _fetch(split: Split, one_hot: int | None) -> Fetch:
    """A function from example positions to (inputs, targets)."""
    # Held as tensors outside the pipeline: captured, not copied into its graph (whose limit is 2 GB).
    inputs, targets = map(gathered, split.tensors if split.in_memory else (split.inputs, split.targets))
    if split.targets is split.inputs:

        def reproduce(positions: tf.Tensor) -> tuple[Nested, ...]:
            return (inputs(positions),) * 2

        return reproduce
    if one_hot is not None and (isinstance(split.targets, dict) or split.targets.dtype.kind not in "iu"):
        raise StageError(
            "One-hot targets are made from integer labels, but these targets are no labels.", code="invalid_data"
        )

    def fetch(positions: tf.Tensor) -> tuple[Nested, ...]:
        labels = targets(positions)
        return inputs(positions), labels if one_hot is None else tf.one_hot(labels, one_hot)

    return fetch


def _with(fetch: Fetch, rows: Callable[[tf.Tensor], Nested], *between: None) -> Fetch:
    """Yields what `fetch` does, what is between, and the rows of more arrays."""
    return lambda positions: (*fetch(positions), *between, rows(positions))


def _rows(arrays: Nested) -> Callable[[tf.Tensor], Nested]:
    """A function from positions to the rows of arrays."""
    with tf.device("CPU:0"):
        return gathered(tf.nest.map_structure(tf.convert_to_tensor, arrays))
