"""Units under the positions of tensors: which positions stay or go together. Needs no TensorFlow.

Each position of a tensor or weight has a label, a number; labels that must be removed together are united. An array of
labels has as many axes as its tensor, the batch axis too; an axis along which the labels are all the same has size 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.shrinking.graph.types import Kind
from tfopt.backend.types import Array, Shape


@dataclass(frozen=True)
class Allocation:
    """Labels that a layer made for what it computes.

    Args:
        layer: its path.
        kind: what each label stands for.
        labels: one for each unit, before any union.
        channels: channels of the output under one label.
    """

    layer: str
    kind: Kind
    labels: Array
    channels: int


class Units:
    """All labels of a model, which of them are united, and why some cannot be removed."""

    def __init__(self) -> None:
        self.allocations: list[Allocation] = []
        self.pieces: list[Array] = []
        self._parents: list[int] = []
        self._reasons: dict[int, str] = {}
        self._table: Array | None = None

    @property
    def count(self) -> int:
        """How many labels there are."""
        return len(self._parents)

    def allocate(self, count: int, layer: str, kind: Kind, channels: int = 1) -> Array:
        """New labels for the units that a layer computes."""
        labels = self._new(count)
        self.allocations.append(Allocation(layer, kind, labels, channels))
        return labels

    def kept(self, rank: int, reason: str) -> Array:
        """Labels of a tensor of which nothing can be removed."""
        label = self._new(1)
        self._reasons[int(label[0])] = reason
        return label.reshape((1,) * rank)

    def unite(self, one: Array, other: Array) -> None:
        """Unites the labels at the same positions of two arrays, which are broadcast."""
        one, other = np.broadcast_arrays(self.roots(one), self.roots(other))
        differing = one != other
        for left, right in np.unique(np.stack([one[differing], other[differing]], axis=-1), axis=0):
            low, high = sorted((self._root(int(left)), self._root(int(right))))
            if low == high:
                continue
            self._parents[high] = low
            if high in self._reasons:
                self._reasons.setdefault(low, self._reasons[high])
            self._table = None

    def fix(self, labels: Array, reason: str, *, first: bool = False) -> None:
        """Nothing under these labels can be removed; the first reason stays, unless this one is to be the `first`."""
        for root in np.unique(self.roots(labels)).tolist():
            self._reasons[root] = reason if first else self._reasons.get(root, reason)

    def part(self, labels: Array) -> None:
        """Units of one layer that are apart from its others, for a tensor consists of them alone."""
        self.pieces.append(np.unique(labels))

    def merged(self, tensors: Sequence[tuple[Array, Shape]], shape: Shape, reason: str) -> Array:
        """The labels of a tensor that is computed from others position by position, as NumPy broadcasts them.

        Args:
            tensors: labels and shapes; a tensor of lower rank has no first axes.
            shape: of the result.
            reason: why a single value that meets many units cannot be removed.
        """
        rank = len(shape)
        united = np.zeros((0,))
        for labels, own in tensors:
            lifted = labels.reshape((1,) * (rank - labels.ndim) + labels.shape)
            sizes = (1,) * (rank - len(own)) + tuple(own)
            single = [axis for axis in range(1, rank) if sizes[axis] == 1 and shape[axis] != 1]
            others = [other.reshape((1,) * (rank - other.ndim) + other.shape) for other, _ in tensors]
            if any(other.shape[axis] > 1 for other in others for axis in single):
                self.fix(lifted, reason)
                continue
            if united.size:
                self.unite(united, lifted)
                united = np.broadcast_arrays(united, lifted)[0]
            else:
                united = lifted
        return united if united.size else self.kept(rank, reason)

    def reason(self, label: int) -> str | None:
        """Why nothing under a label can be removed; None where it can."""
        return self._reasons.get(self._root(label))

    def roots(self, labels: Array) -> Array:
        """The same label for all that are united."""
        if self._table is None or len(self._table) != len(self._parents):
            table = np.asarray(self._parents, dtype=np.int64)
            while not np.array_equal(table[table], table):
                table = table[table]
            self._table = table
        return self._table[labels]

    def along(self, labels: Array, axis: int, size: int) -> Array:
        """The labels along one axis, after those of all other axes were united.

        Args:
            labels: of a tensor.
            axis: of the tensor.
            size: of the axis.
        """
        rows = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
        self.unite(rows[:, :1], rows)
        return np.broadcast_to(rows[:, 0], (size,)).copy()

    def compressed(self, labels: Array) -> Array:
        """The labels with size 1 at each axis along which they are the same."""
        labels = self.roots(labels)
        for axis in range(labels.ndim):
            first = labels.take([0], axis)
            if labels.shape[axis] > 1 and (labels == first).all():
                labels = first
        return labels

    def one_axis(self, labels: Array) -> bool:
        """Unites labels so that they differ along one axis at most, the last one; whether any were united."""
        varying = [axis for axis, size in enumerate(self.compressed(labels).shape) if size > 1]
        if len(varying) < 2:
            return False
        self.along(labels, varying[-1], labels.shape[varying[-1]])
        return True

    def _new(self, count: int) -> Array:
        labels = np.arange(len(self._parents), len(self._parents) + count)
        self._parents.extend(labels.tolist())
        return labels

    def _root(self, label: int) -> int:
        while self._parents[label] != label:
            self._parents[label] = self._parents[self._parents[label]]
            label = self._parents[label]
        return label


def at_axis(labels: Array, axis: int, rank: int) -> Array:
    """Labels of a tensor that differ along one axis: `labels` is one-dimensional."""
    shape = [1] * rank
    shape[axis] = len(labels)
    return labels.reshape(shape)


def reshaped(labels: Array, old: Shape, new: Shape) -> Array | None:
    """Labels after a reshape.

    Args:
        labels: of a tensor.
        old: its shape; an axis of open size counts as 1, for labels do not differ along it.
        new: its new shape, in the same order of values.

    Returns:
        None where the sizes cannot be compared.
    """
    before, after = _closed(old), _closed(new)
    if np.prod(before) != np.prod(after) or _behind_open(old) != _behind_open(new):
        return None
    return np.broadcast_to(labels, before).reshape(after)


def _behind_open(shape: Shape) -> int:
    """How many values there are behind the last open axis but that of the batch; 0 where none is open."""
    axes = [axis for axis, size in enumerate(shape) if axis and size is None]
    return int(np.prod([size or 1 for size in shape[axes[-1] + 1 :]])) if axes else 0


def _closed(shape: Sequence[int | None]) -> tuple[int, ...]:
    # The batch axis is one axis of both shapes, whatever its size.
    return (1, *(size or 1 for size in shape[1:]))
