"""What a network would cost at any widths, without building it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.calls import Call, calls
from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.graph.macs import macs, products_between_positions
from tfopt.backend.shrinking.choices import Widths
from tfopt.backend.shrinking.graph.products import ProductCall, product_calls
from tfopt.backend.shrinking.graph.types import ShrinkGroup, ShrinkGroups

CostOf = Callable[[Widths], float]
"""Cost of the network in which some groups have fewer units."""


@dataclass(frozen=True)
class _Axis:
    """An axis of a weight along which units of a group lie: how many indices a unit has there, on average."""

    group: str
    axis: int
    per_unit: float


@dataclass(frozen=True)
class _Weight:
    """A weight, or the products of attention between positions, which have none: `numbers` is 0 there."""

    shape: tuple[int, ...]
    macs: float
    axes: tuple[_Axis, ...]
    numbers: int

    def left(self, gone: Mapping[str, float]) -> list[float]:
        """Share of each axis that stays when these numbers of units are gone."""
        left = [float(size) for size in self.shape]
        for axis in self.axes:
            left[axis.axis] -= axis.per_unit * gone.get(axis.group, 0.0)
        return [max(now, 0.0) / max(was, 1) for now, was in zip(left, self.shape, strict=True)]

    def share(self, gone: Mapping[str, float]) -> float:
        """Share of the weight that stays."""
        return math.prod(self.left(gone))


@dataclass(frozen=True)
class _Factors:
    """A kernel as the product of two smaller ones.

    Args:
        group: its name.
        units: singular values of the kernel.
        sizes: rows and columns of the kernel as a matrix.
        first: at how many places the first factor is computed, for one of the second.
    """

    group: str
    units: int
    sizes: tuple[int, int]
    first: float

    def shares(self, kernel: _Weight, gone: Mapping[str, float]) -> tuple[float, float] | None:
        """Operations and weights of both factors as shares of those of the whole kernel, or None where it stays whole.

        A kernel stays whole where all singular values stay, and where two factors would cost more.
        """
        rank = self.units - gone.get(self.group, 0.0)
        if rank >= self.units:
            return None
        *_, inputs, outputs = kernel.left(gone)
        rows, columns = self.sizes[0] * inputs, self.sizes[1] * outputs
        size, rank = self.sizes[0] * self.sizes[1], min(rank, rows, columns)
        operations, weights = rank * (self.first * rows + columns) / size, rank * (rows + columns) / size
        return (operations, weights) if operations < kernel.share(gone) else None


class NetworkCosts:
    """Operations and weights of a model whose groups are narrowed, by layer.

    The products of attention between positions, which have no weights, shrink with the heads of their layer; those of
    layers without kernels (Attention, TiedLogits) with the tensors that they multiply. A built model
    (`tfopt.backend.shrinking.graph.cost`) is the proof.

    An allocation asks for thousands of networks that differ in one or two groups: only the layers of groups with
    another width than in the question before are computed again.

    Args:
        model: as it is.
        groups: its groups.
    """

    def __init__(self, model: tf_keras.Model, groups: ShrinkGroups) -> None:
        self._units = {group.name: group.units for group in groups.groups}
        self._branches = {group.name: group.branch for group in groups.groups if group.branch}
        axes: dict[tuple[str, int], list[_Axis]] = defaultdict(list)
        for group in groups.groups:
            for member in group.members if group.kind not in ("block", "layer", "rank") else ():
                per_unit = sum(len(one) for one in member.positions) / group.units
                axes[member.layer, member.weight].append(_Axis(group.name, member.axis, per_unit))
        self._factors: dict[str, list[_Factors]] = defaultdict(list)
        places = _first_places(model)
        for group in groups.of_kind("rank"):
            (path,) = group.layers
            first = places.get(path, 1.0) if group.name.endswith("spatial_rank") else 1.0
            self._factors[path].append(_Factors(group.name, group.units, group.sizes, first))
        counted, between_positions = _macs_by_layer(model)
        multiplied: dict[int, list[ProductCall]] = defaultdict(list)
        for call in product_calls(model):
            multiplied[id(call.layer)].append(call)
        self._products: dict[str, list[ProductCall]] = {}
        self._layers: dict[str, list[_Weight]] = {}
        seen: set[int] = set()
        for path, layer in layer_paths(model):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            kernels = sum(_size(one) for one in layer.weights if "kernel" in one.name)
            if id(layer) in multiplied:
                self._products[path] = multiplied[id(layer)]
            operations = counted.get(id(layer), 0) if kernels else 0
            products = between_positions.get(id(layer), 0)
            self._layers[path] = [
                _Weight(
                    tuple(one.shape),
                    (operations - products) * _size(one) / kernels if "kernel" in one.name else 0.0,
                    tuple(axes[path, index]),
                    _size(one),
                )
                for index, one in enumerate(layer.weights)
            ]
            if products:
                # Of both kinds of attention with kernels, the queries have the first weight: heads are its axis 1.
                heads = tuple(replace(axis, axis=0) for axis in axes[path, 0] if axis.axis == 1)
                self._layers[path].append(_Weight((int(layer.weights[0].shape[1]),), products, heads, 0))
        self._behind: dict[str, set[str]] = defaultdict(set)
        for path, weights in self._layers.items():
            for weight in weights:
                for axis in weight.axes:
                    self._behind[axis.group].add(path)
        for path, made in self._products.items():
            for name in (name for call in made for name in call.groups if name in self._units):
                self._behind[name].add(path)
        for path, forms in self._factors.items():
            for form in forms:
                self._behind[form.group].add(path)
        for name, branch in self._branches.items():
            self._behind[name] |= set(branch) & set(self._layers)
        self._groups: dict[str, list[str]] = {path: [] for path in self._layers}
        for name in sorted(self._behind):
            for path in self._behind[name]:
                self._groups[path].append(name)
        self._known: dict[str, dict[tuple[int, ...], tuple[float, Sequence[float]]]] = defaultdict(dict)
        self._asked: dict[str, int] = dict(self._units)
        self._costs = {path: self._of_layer(path, self._asked) for path in self._layers}

    def _gone(self, widths: Widths) -> dict[str, float]:
        return {name: self._units[name] - width for name, width in widths.items()}

    def _at(self, widths: Widths) -> dict[str, tuple[float, Sequence[float]]]:
        """Operations of each layer, and numbers in each of its weights."""
        asked = {**self._units, **widths}
        changed = [name for name, width in asked.items() if self._asked[name] != width]
        for path in {path for name in changed for path in self._behind[name]}:
            self._costs[path] = self._of_layer(path, asked)
        self._asked = asked
        return self._costs

    def _of_layer(self, path: str, asked: Widths) -> tuple[float, Sequence[float]]:
        """Operations of a layer, and numbers in each of its weights, at the widths of its groups; computed once."""
        key = tuple(asked[name] for name in self._groups[path])
        if key not in self._known[path]:
            gone = {name: self._units[name] - width for name, width in zip(self._groups[path], key, strict=True)}
            self._known[path][key] = self._computed(path, gone)
        return self._known[path][key]

    def _computed(self, path: str, gone: Mapping[str, float]) -> tuple[float, Sequence[float]]:
        if any(gone.get(name) and path in branch for name, branch in self._branches.items()):
            return 0.0, ()
        shares = [(self._share(path, one, gone), one) for one in self._layers[path]]
        multiplied = sum(call.macs(gone) for call in self._products.get(path, ()))
        return (
            multiplied + sum(share[0] * one.macs for share, one in shares),
            [share[1] * one.numbers for share, one in shares],
        )

    def macs_by_layer(self, widths: Widths) -> dict[str, float]:
        """Multiply-accumulate operations of each layer for one example."""
        return {path: operations for path, (operations, _) in self._at(widths).items()}

    def macs(self, widths: Widths) -> float:
        """Multiply-accumulate operations for one example."""
        return sum(operations for operations, _ in self._at(widths).values())

    def parameters(self, widths: Widths) -> float:
        """Number of weights."""
        return sum(numbers for _, weights in self._at(widths).values() for numbers in weights)

    def _share(self, path: str, weight: _Weight, gone: Mapping[str, float]) -> tuple[float, float]:
        """Share of the operations of a weight that stays, and of its numbers."""
        chosen = self._form(path, weight, gone)
        whole = weight.share(gone)
        return (whole, whole) if chosen is None else chosen[1]

    def _form(
        self, path: str, weight: _Weight, gone: Mapping[str, float]
    ) -> tuple[_Factors, tuple[float, float]] | None:
        """The form in which a kernel is factorized, with its shares; None where it stays whole."""
        if path not in self._factors or weight is not self._layers[path][0]:
            return None
        shares = [(one, found) for one in self._factors[path] if (found := one.shares(weight, gone)) is not None]
        return min(shares, key=lambda pair: pair[1][0], default=None)

    def settled(self, widths: Widths) -> dict[str, int]:
        """The widths with kernels whole where two factors would cost more, and at most one form for each kernel."""
        gone = self._gone(widths)
        settled = dict(widths)
        for path, forms in self._factors.items():
            chosen = self._form(path, self._layers[path][0], gone)
            for form in forms:
                if form.group in settled and (chosen is None or form is not chosen[0]):
                    settled[form.group] = form.units
        return settled

    def bytes(self, widths: Widths) -> float:
        """Bytes of the weights as float32."""
        return 4 * self.parameters(widths)


def layers_behind(group: ShrinkGroup) -> tuple[str, ...]:
    """Paths of the layers whose cost a group decides."""
    return (*group.layers, *group.branch)


def _size(weight: tf.Variable) -> int:
    return math.prod(weight.shape)


def _first_places(model: tf_keras.Model) -> dict[str, float]:
    """At how many places the column of a spatial factorization is computed, for one place of its row, by path."""
    at: dict[int, Call] = {id(call.layer): call for call in calls(model)}
    found = {}
    for path, layer in layer_paths(model):
        if type(layer) is not tf_keras.layers.Conv2D or id(layer) not in at:
            continue
        axis = 3 if layer.data_format == "channels_first" else 2
        before, after = at[id(layer)].inputs[0][axis], at[id(layer)].output[axis]
        found[path] = before / after if before and after else float(layer.strides[1])
    return found


def _macs_by_layer(model: tf_keras.Model) -> tuple[dict[int, int], dict[int, int]]:
    """Operations of each layer by identity, and those of attention between positions among them."""
    found: dict[int, int] = defaultdict(int)
    between: dict[int, int] = defaultdict(int)
    for call in calls(model):
        found[id(call.layer)] += macs(call.layer, call.inputs, call.output) or 0
        between[id(call.layer)] += products_between_positions(call.layer, call.inputs) or 0
    return found, between
