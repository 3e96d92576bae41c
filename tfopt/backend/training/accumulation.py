"""The gradients of a step whose examples do not fit into memory at once: computed in parts, and averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfopt.backend.types import Nested

GradientsOfBatch = Callable[[tuple[Nested, ...]], tuple[Sequence[tf.Tensor | None], tf.Tensor]]


def accumulated(
    gradients_of: GradientsOfBatch, batch: tuple[Nested, ...], at_once: int, variables: Sequence[tf.Variable]
) -> list[tf.Tensor | None]:
    """The average over parts of a batch, weighted by the positions that count: the gradients of all examples.

    Equal to computing it at once but for rounding, and for layers that look across examples: batch normalization uses
    the statistics of each part.

    Args:
        gradients_of: gradients of the mean loss over some examples, and over how many positions that mean goes.
        batch: tensors with one row per example, nested; None where there is nothing.
        at_once: examples of a part; the last may have fewer.
        variables: what the gradients are of.

    Returns:
        One for each variable; None where the loss does not depend on it.
    """
    size = tf.shape(tf.nest.flatten(batch[0])[0])[0]
    reached: list[bool] = []

    def part(
        first: tf.Tensor, counted: tf.Tensor, sums: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        end = tf.minimum(first + at_once, size)
        found, positions = gradients_of(tf.nest.map_structure(lambda rows: _rows(rows, first, end), batch))
        reached[:] = [gradient is not None for gradient in found]
        own = tf.cast(positions, tf.float32)
        added = [
            total if gradient is None else total + tf.cast(own, total.dtype) * tf.convert_to_tensor(gradient)
            for total, gradient in zip(sums, found, strict=True)
        ]
        return end, counted + own, added

    begin = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
    # One part after the other: TensorFlow would otherwise begin the next ones early, which takes the memory of several.
    _, counted, sums = tf.while_loop(
        lambda first, *_: first < size, part, [tf.constant(0), tf.constant(0.0), begin], parallel_iterations=1
    )
    return [
        tf.math.divide_no_nan(total, tf.cast(counted, total.dtype)) if known else None
        for total, known in zip(sums, reached, strict=True)
    ]


def _rows(rows: tf.Tensor | None, first: tf.Tensor, end: tf.Tensor) -> tf.Tensor | None:
    return None if rows is None else rows[first:end]
