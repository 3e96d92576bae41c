"""Attention heads as what a mask holds at zero: where their weights are, how important they are, which stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.layers import GroupedQueryAttention
from tfopt.backend.types import Array


@dataclass(frozen=True)
class HeadKernel:
    """A kernel of an attention layer.

    Args:
        variable: the kernel.
        shape: its shape with an axis of heads.
        axis: number of that axis.
        shared_by: how many query heads use one of its heads.
    """

    variable: tf.Variable
    shape: tuple[int, int, int]
    axis: int
    shared_by: int = 1

    def sums(self, values: tf.Tensor) -> tf.Tensor:
        """Sum of the values of each query head: (heads,).

        Args:
            values: in the shape of the kernel.
        """
        others = [axis for axis in range(3) if axis != self.axis]
        return tf.repeat(tf.reduce_sum(tf.reshape(values, self.shape), axis=others), self.shared_by)

    def mask(self, kept: tf.Tensor) -> tf.Tensor:
        """1 for the weights that a kept head uses, else 0, in the shape of the kernel.

        Args:
            kept: (heads,), True for the query heads that stay.
        """
        used = tf.reduce_any(tf.reshape(kept, (-1, self.shared_by)), axis=1)
        column = tf.reshape(used, [-1 if axis == self.axis else 1 for axis in range(3)])
        full = tf.broadcast_to(tf.cast(column, tf.float32), self.shape)
        return tf.reshape(full, self.variable.shape)


@dataclass(frozen=True)
class Heads:
    """The heads of one attention layer.

    Args:
        count: number of query heads.
        kernels: of queries, keys, values and of the output.
    """

    count: int
    kernels: tuple[HeadKernel, ...]

    def scores(self, of: Callable[[tf.Variable], tf.Tensor]) -> tf.Tensor:
        """Mean score of the weights that each head uses: (heads,).

        Args:
            of: scores of a kernel, in its shape.
        """
        used = sum(prod(kernel.shape) // kernel.shape[kernel.axis] for kernel in self.kernels)
        return tf.add_n([tf.cast(kernel.sums(of(kernel.variable)), tf.float32) for kernel in self.kernels]) / used

    def kept(self, scores: tf.Tensor, sparsity: tf.Tensor | float) -> tf.Tensor:
        """The heads that stay, at least one: (heads,) bool.

        Args:
            scores: (heads,).
            sparsity: share of the heads that become zero.
        """
        exact = tf.round(self.count * (1.0 - sparsity) * 1000.0) / 1000.0  # float32 rounds ties as `num_gone` does
        number = tf.maximum(tf.round(exact), 1.0)
        ranks = tf.argsort(tf.argsort(scores, direction="DESCENDING", stable=True))
        return tf.cast(ranks, tf.float32) < number

    def of(self, variable: tf.Variable) -> HeadKernel:
        """The place of the heads in one of the layer's kernels."""
        return next(kernel for kernel in self.kernels if kernel.variable is variable)

    def gone(self) -> tuple[int, ...]:
        """The heads whose own weights are all zero."""
        own = [kernel for kernel in self.kernels if kernel.shared_by == 1]
        alive = sum(_alive(kernel.variable.numpy(), kernel.shape, kernel.axis) for kernel in own)
        return tuple(int(head) for head in np.flatnonzero(alive == 0))

    def gone_of(self, kernel: HeadKernel) -> tuple[int, ...]:
        """The heads of a kernel that no query head with weights uses."""
        gone = set(self.gone())
        groups = range(self.count // kernel.shared_by)
        return tuple(one for one in groups if {one * kernel.shared_by + n for n in range(kernel.shared_by)} <= gone)


def heads_of(layer: tf_keras.layers.Layer) -> Heads | None:
    """The heads of an attention layer; None for other layers."""
    if isinstance(layer, tf_keras.layers.MultiHeadAttention):
        into = (layer._query_dense.kernel, layer._key_dense.kernel, layer._value_dense.kernel)
        return Heads(layer._num_heads, (*_kernels(into, 1), *_kernels((layer._output_dense.kernel,), 0)))
    if isinstance(layer, GroupedQueryAttention):
        shared_by = layer.num_heads // layer.key_value_heads
        return Heads(
            layer.num_heads,
            (
                _split(layer.query.kernel, 1, layer.num_heads),
                _split(layer.key.kernel, 1, layer.key_value_heads, shared_by),
                _split(layer.value.kernel, 1, layer.key_value_heads, shared_by),
                _split(layer.attention_output.kernel, 0, layer.num_heads),
            ),
        )
    return None


def num_gone(heads: int, sparsity: float) -> int:
    """How many of some heads or blocks a sparsity makes zero; one stays."""
    return heads - max(round(round(heads * (1 - sparsity), 3)), 1)


def _kernels(variables: Iterable[tf.Variable], axis: int) -> tuple[HeadKernel, ...]:
    """Kernels that have an axis of heads."""
    return tuple(HeadKernel(variable, tuple(variable.shape), axis) for variable in variables)


def _split(variable: tf.Variable, axis: int, heads: int, shared_by: int = 1) -> HeadKernel:
    """A kernel of 2 axes, in one of which the heads lie one after the other."""
    rows, columns = variable.shape
    shape = (heads, rows // heads, columns) if axis == 0 else (rows, heads, columns // heads)
    return HeadKernel(variable, shape, axis, shared_by)


def _alive(values: Array, shape: tuple[int, int, int], axis: int) -> Array:
    others = tuple(one for one in range(3) if one != axis)
    found: Array = np.count_nonzero(values.reshape(shape), axis=others)
    return found
