"""Inside a training step: the part of this replica, and sums and extremes over all replicas.

Where there is one replica, every function gives back what it was given: the graph of a step without `distribute` has no
operator more.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import get_ident
from typing import NamedTuple

import tensorflow as tf

from tfopt.backend.types import Nested

_copies: dict[int, tf.Tensor] = {}
"""By thread: each replica is traced in one of its own."""


class Part(NamedTuple):
    """What one replica has of a batch.

    Args:
        batch: its rows.
        measured: how many of them, from the first on, count in metrics; None where all do.
    """

    batch: Nested
    measured: tf.Tensor | None


def count() -> int:
    """Replicas that train together, on all machines; 1 without a strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def inside() -> bool:
    """Whether the code that is running is that of one of several replicas."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def own_part(batch: Nested) -> Part:
    """The rows of a batch that this replica trains with.

    The parts differ by one row at most. A batch with fewer rows than replicas, such as the last one of an epoch, is
    given whole to all of them, so that none has a mean over nothing; metrics count it once.

    Args:
        batch: tensors (nested), with a row for each example of the whole batch; None stays None.
    """
    if not inside():
        return Part(batch, None)
    replica, replicas = _index(), count()
    with tf.device("CPU:0"):  # the batch is there; only the part goes to the device
        rows = tf.shape(next(part for part in tf.nest.flatten(batch) if part is not None))[0]
        whole = rows < replicas
        begin = tf.where(whole, 0, rows * replica // replicas)
        end = tf.where(whole, rows, rows * (replica + 1) // replicas)
        part = tf.nest.map_structure(lambda tensor: None if tensor is None else tensor[begin:end], batch)
        _copies[get_ident()] = tf.where(whole, replicas, 1)
        return Part(part, tf.where(tf.logical_and(whole, replica > 0), 0, end - begin))


def copies() -> tf.Tensor:
    """On how many replicas each example of the batch in progress is: 1, or all where it was given whole to all."""
    return _copies.get(get_ident(), tf.constant(1))


def divisible(rows: int, most: int) -> int:
    """The largest size of batches, up to `most`, of which none has fewer rows than replicas, unless all have.

    Args:
        rows: of all batches together.
        most: what the size would be on one device, and is there.
    """
    replicas = count()
    return next((size for size in range(most, replicas - 1, -1) if not 0 < rows % size < replicas), most)


def first(rows: tf.Tensor | None, tensors: Nested) -> Nested:
    """The first rows of tensors (nested), with their Keras masks; all rows where `rows` is None."""
    if rows is None:
        return tensors

    def cut(tensor: tf.Tensor) -> tf.Tensor:
        if tensor is None:
            return None
        kept, mask = tensor[:rows], getattr(tensor, "_keras_mask", None)
        if mask is not None:
            kept._keras_mask = mask[:rows]
        return kept

    return tf.nest.map_structure(cut, tensors)


def share(mean: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """What a mean of this replica adds to that of the whole batch.

    Args:
        mean: of this replica.
        counted: how many rows (or positions) it is over.
    """
    if not inside():
        return mean
    own = tf.cast(counted, tf.float32)
    return mean * tf.cast(tf.math.divide_no_nan(own, total(own)), mean.dtype)


def total(value: tf.Tensor) -> tf.Tensor:
    """The sum over all replicas."""
    if not inside():
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def total_of_each(values: Sequence[tf.Tensor | None]) -> list[tf.Tensor | None]:
    """The sum of each over all replicas, in one call; None stays None."""
    if not inside():
        return list(values)
    there = [tf.convert_to_tensor(value) for value in values if value is not None]
    context = tf.distribute.get_replica_context()
    totals = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, there) if there else ())
    return [None if value is None else next(totals) for value in values]


def extremes(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The smallest and the largest value on all replicas."""
    low, high = tf.reduce_min(values), tf.reduce_max(values)
    if not inside():
        return low, high
    # tf.distribute has no minimum: each replica has a column of its own in a sum.
    columns = tf.stack([tf.one_hot(_index(), count(), value, tf.zeros_like(value)) for value in (low, high)])
    lows, highs = tf.unstack(total(columns))
    return tf.reduce_min(lows), tf.reduce_max(highs)


def _index() -> tf.Tensor:
    return tf.convert_to_tensor(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)
