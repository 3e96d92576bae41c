"""Random changes of training examples by a function of the user's own."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.data.images.augment import Fetch
from tfopt.backend.types import Nested
from tfopt.catalog import references
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_OWN = 6
"""What keeps its seeds apart from those of the built-in changes."""


def with_own_changes(fetch: Fetch, name: str, seed: int, epoch: tf.Tensor) -> Fetch:
    """`fetch`, with each example changed by a function.

    Args:
        fetch: returns the unchanged examples.
        name: `package.module:function` of an example's inputs, its targets, and a seed (2,) int64, which belongs to
            this run, epoch and example: what it draws with `tf.random.stateless_*` is the same after an interruption.
            It returns inputs and targets of the same shapes and types.
        seed: of the run.
        epoch: scalar.

    Raises:
        StageError: there is no such function, it fails, or returns something else; when batches are made.
    """
    code = references.named(name)

    @tf.autograph.experimental.do_not_convert
    def one(example: tuple[Nested, Nested, tf.Tensor]) -> tuple[Nested, Nested]:
        inputs, targets, own_seed = example
        changed = guarded(lambda: code(inputs, targets, own_seed), name)
        if not isinstance(changed, tuple) or len(changed) != 2:
            raise StageError(
                f"{name} returned a {type(changed).__name__}.",
                "An augmentation returns (inputs, targets) of the example that it is given.",
                code="unusable_code",
            )
        return _like(changed[0], inputs, f"{name}: inputs"), _like(changed[1], targets, f"{name}: targets")

    def change(positions: tf.Tensor) -> tuple[Nested, ...]:
        inputs, targets, *more = fetch(positions)
        first = tf.fill(tf.shape(positions), tf.constant((seed * 8 + _OWN) % 2**62, tf.int64))
        second = tf.cast(epoch, tf.int64) * 2**32 + tf.cast(positions, tf.int64)
        spec = tf.nest.map_structure(lambda rows: tf.TensorSpec(rows.shape[1:], rows.dtype), (inputs, targets))
        changed = tf.map_fn(one, (inputs, targets, tf.stack([first, second], axis=1)), fn_output_signature=spec)
        return (*changed, *more)

    return change


def _like(found: Nested, given: Nested, what: str) -> Nested:
    """A changed part of an example, of the structure, shapes and types of the unchanged one."""
    try:
        tf.nest.assert_same_structure(found, given)
        tensors = tf.nest.map_structure(lambda new, old: tf.cast(tf.convert_to_tensor(new), old.dtype), found, given)
    except (TypeError, ValueError) as error:
        raise StageError(
            f"{what} are not what they were: {error}",
            "Return what the function was given, changed.",
            code="unusable_code",
        ) from error
    for new, old in zip(tf.nest.flatten(tensors), tf.nest.flatten(given), strict=True):
        if not new.shape.is_compatible_with(old.shape):
            raise StageError(
                f"{what} have the shape {tuple(new.shape)}, and had {tuple(old.shape)}.",
                "Return examples of the same shape: a model has one.",
                code="unusable_code",
            )
        new.set_shape(old.shape)
    return tensors
