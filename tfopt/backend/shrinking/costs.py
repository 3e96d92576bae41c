"""What a network would cost at any widths, without building it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.calls import calls
from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.graph.macs import macs
from tfopt.backend.shrinking.choices import Widths
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
    shape: tuple[int, ...]
    macs: float
    axes: tuple[_Axis, ...]

    def share(self, gone: Mapping[str, float]) -> float:
        """Share of the weight that stays when these numbers of units are gone."""
        left = [float(size) for size in self.shape]
        for axis in self.axes:
            left[axis.axis] -= axis.per_unit * gone.get(axis.group, 0.0)
        return math.prod(max(now, 0.0) / max(was, 1) for now, was in zip(left, self.shape, strict=True))


class NetworkCosts:
    """Operations and weights of a model whose groups are narrowed, by layer.

    The operations of attention between positions, which have no weights, shrink like the kernels of their layer; a
    built model (`tfopt.backend.shrinking.graph.cost`) is the proof.

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
        counted = _macs_by_layer(model)
        self._layers: dict[str, list[_Weight]] = {}
        seen: set[int] = set()
        for path, layer in layer_paths(model):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            kernels = sum(_size(one) for one in layer.weights if "kernel" in one.name) or 1
            self._layers[path] = [
                _Weight(
                    tuple(one.shape),
                    counted.get(id(layer), 0) * _size(one) / kernels if "kernel" in one.name else 0.0,
                    tuple(axes[path, index]),
                )
                for index, one in enumerate(layer.weights)
            ]

    def _gone(self, widths: Widths) -> dict[str, float]:
        return {name: self._units[name] - width for name, width in widths.items()}

    def _present(self, widths: Widths) -> set[str]:
        removed = {path for name, branch in self._branches.items() if widths.get(name) == 0 for path in branch}
        return set(self._layers) - removed

    def macs_by_layer(self, widths: Widths) -> dict[str, float]:
        """Multiply-accumulate operations of each layer for one example."""
        gone, present = self._gone(widths), self._present(widths)
        return {
            path: sum(one.macs * one.share(gone) for one in weights) if path in present else 0.0
            for path, weights in self._layers.items()
        }

    def macs(self, widths: Widths) -> float:
        """Multiply-accumulate operations for one example."""
        return sum(self.macs_by_layer(widths).values())

    def parameters(self, widths: Widths) -> float:
        """Number of weights."""
        gone, present = self._gone(widths), self._present(widths)
        return sum(
            math.prod(one.shape) * one.share(gone)
            for path, weights in self._layers.items()
            if path in present
            for one in weights
        )

    def bytes(self, widths: Widths) -> float:
        """Bytes of the weights as float32."""
        return 4 * self.parameters(widths)


def layers_behind(group: ShrinkGroup) -> tuple[str, ...]:
    """Paths of the layers whose cost a group decides."""
    return (*group.layers, *group.branch)


def _size(weight: tf.Variable) -> int:
    return math.prod(weight.shape)


def _macs_by_layer(model: tf_keras.Model) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for call in calls(model):
        found[id(call.layer)] += macs(call.layer, call.inputs, call.output) or 0
    return found
