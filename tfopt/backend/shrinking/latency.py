"""Latency of a narrowed network from a table: milliseconds of each layer at several widths, measured with LiteRT.

A few networks between the smallest and the full one are converted, and each operator of each file is timed alone
(`tfopt.backend.bench.operator_times`). Between the measured points, the time of a layer is a straight line over its
multiply-accumulate operations. What operators alone do not show (fusion, caches) is a factor: the time of a whole file
over the sum of its operators.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
import tf_keras

from tfopt.backend.audit.layer_operators import layer_of_each_operator
from tfopt.backend.bench.operator_times import operator_times
from tfopt.backend.graph.layers import fused_lstms, layer_paths
from tfopt.backend.shrinking.choices import Widths
from tfopt.backend.shrinking.costs import NetworkCosts
from tfopt.backend.shrinking.graph.factorize import first_factor
from tfopt.backend.tflite import benchmark

Convert = Callable[[Mapping[str, tf_keras.Model], Path], dict[str, Path]]
"""Writes float32 `.tflite` files of models into a folder: path by name."""

_ROUNDS = 60
_WITHOUT_LAYER = ""


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds by layer.

    Args:
        costs: operations of each layer at any widths.
        layers: of each layer with operations, (operations, milliseconds), ascending by operations.
        rest: of all other operators together, (operations of the network, milliseconds).
        factors: (operations of the network, time of the whole file over the sum of its operators).
    """

    costs: NetworkCosts
    layers: Mapping[str, Sequence[Sequence[float]]]
    rest: Sequence[Sequence[float]]
    factors: Sequence[Sequence[float]]
    _known: dict[tuple[str, float], float] = field(default_factory=dict, repr=False, compare=False)

    def by_layer(self, widths: Widths) -> dict[str, float]:
        """Milliseconds of each layer with operations; the others together have the name ""."""
        operations = self.costs.macs_by_layer(widths)
        total = sum(operations.values())
        factor = _between(self.factors, total)
        found = {
            path: factor * self._of_layer(path, operations[path])
            for path in self.layers
            if operations.get(path, 0.0) > 0
        }
        return {**found, _WITHOUT_LAYER: factor * _between(self.rest, total)}

    def _of_layer(self, path: str, operations: float) -> float:
        """An allocation asks for the same again and again."""
        key = (path, operations)
        if key not in self._known:
            self._known[key] = _between(self.layers[path], operations)
        return self._known[key]

    def milliseconds(self, widths: Widths) -> float:
        """Milliseconds of a whole network."""
        return sum(self.by_layer(widths).values())


class Measured(TypedDict):
    """What was measured, in values that JSON has; pairs are multiply-accumulates and milliseconds, or a factor."""

    layers: dict[str, list[tuple[float, float]]]
    rest: list[tuple[float, float]]
    factors: list[tuple[float, float]]


def measure(
    networks: Mapping[str, tuple[Widths, tf_keras.Model]], costs: NetworkCosts, folder: Path, convert: Convert
) -> Measured:
    """Measures the table; the result is plain values.

    Args:
        networks: widths and model of each network that is measured.
        costs: of the dense model.
        folder: a temporary one.
        convert: writes files.
    """
    files = convert({name: model for name, (_, model) in networks.items()}, folder)
    whole = {row["name"]: row["latency_ms"] for row in benchmark.bench(list(files.values()), rounds=_ROUNDS)}
    layers: dict[str, list[tuple[float, float]]] = defaultdict(list)
    rest: list[tuple[float, float]] = []
    factors: list[tuple[float, float]] = []
    for name, (widths, model) in networks.items():
        operations = costs.macs_by_layer(widths)
        total = sum(operations.values())
        times = _by_layer(files[name], model)
        for path, count in operations.items():
            if count > 0:
                layers[path].append((count, times.pop(path, 0.0)))
        rest.append((total, sum(times.values())))
        together = rest[-1][1] + sum(points[-1][1] for path, points in layers.items() if operations[path] > 0)
        factors.append((total, whole[files[name].name] / max(together, 1e-9)))
    return {
        "layers": {path: sorted(points) for path, points in layers.items()},
        "rest": sorted(rest),
        "factors": sorted(factors),
    }


def table(costs: NetworkCosts, measured: Measured) -> LatencyTable:
    """The table of plain values."""
    return LatencyTable(costs, measured["layers"], measured["rest"], measured["factors"])


def compare(files: Sequence[Path], rounds: int = 120) -> list[float]:
    """Median milliseconds of files that are timed in turns, with one thread."""
    return [float(row["latency_ms"]) for row in benchmark.bench(files, rounds=rounds)]


def _by_layer(file: Path, model: tf_keras.Model) -> dict[str, float]:
    """Milliseconds of the operators of each layer, by path, of a factorized one those of both factors; operators of no
    known layer under ""."""
    paths = {layer.name: path for path, layer in layer_paths(model)}
    paths |= {reduced: paths[name] for name in list(paths) if (reduced := first_factor(name)) in paths}
    owners = layer_of_each_operator(file, list(paths), fused_lstms(model))
    found: dict[str, float] = defaultdict(float)
    for one in operator_times(file):
        owner = owners[one.index] if one.index < len(owners) else _WITHOUT_LAYER
        found[paths.get(owner, _WITHOUT_LAYER)] += one.ms or 0.0
    return found


def _between(points: Sequence[Sequence[float]], at: float) -> float:
    """A straight line between neighboring points; below the first, towards half of it at zero operations."""
    below = (0.0, points[0][1] / 2) if points[0][0] > 0 else points[0]
    line = [below, *points]
    return float(np.interp(at, [one[0] for one in line], [one[1] for one in line]))
