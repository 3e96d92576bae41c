"""The groups of units of a model: what is chosen among each other, and what cannot be changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tf_keras

from tfopt.backend.shrinking.graph.blocks import blocks_of
from tfopt.backend.shrinking.graph.call import Trace
from tfopt.backend.shrinking.graph.labels import Allocation
from tfopt.backend.shrinking.graph.trace import traced
from tfopt.backend.shrinking.graph.types import Kept, Member, OutputSite, ShrinkGroup, ShrinkGroups
from tfopt.backend.types import Array


@dataclass(frozen=True)
class UnitsOfGroup:
    """Allocations that share units, and the labels of these.

    Args:
        allocations: of the layers that produce the units.
        roots: the label of each unit.
        fixed: why no unit can be removed, or None.
    """

    allocations: Sequence[Allocation]
    roots: Array
    fixed: str | None


def groups_of(model: tf_keras.Model) -> ShrinkGroups:
    """What can be removed from a model, and what cannot and why.

    Args:
        model: functional, or a built Sequential; nested models are looked into.

    Returns:
        Groups of channels, heads and widths in the order of the graph, then residual branches.
    """
    trace = traced(model)
    named = named_units(trace)
    positions = Positions(trace, named)
    members, sites = _members(trace, positions), _sites(trace, positions)
    found = [
        ShrinkGroup(
            name,
            units.allocations[0].kind,
            len(units.roots) if units.fixed is None else len(units.allocations[0].labels),
            _channels(trace, units),
            tuple(members[name]),
            tuple(sites[name]),
            units.fixed,
        )
        for name, units in named.items()
    ]
    found += blocks_of(model)
    changeable = tuple(group for group in found if group.fixed is None)
    return ShrinkGroups(changeable, tuple(group for group in found if group.fixed is not None))


def named_units(trace: Trace) -> dict[str, UnitsOfGroup]:
    """The units of each group, by its name."""
    named: dict[str, UnitsOfGroup] = {}
    for units in _grouped(trace):
        first = units.allocations[0]
        name = f"{first.layer}/heads" if first.kind == "heads" else first.layer
        taken = [other for other in named if other == name or other.startswith(f"{name}/part")]
        named[f"{name}/part{len(taken) + 1}" if taken else name] = units
    return named


def removed_labels(trace: Trace, kept: Kept) -> Array:
    """Whether each label is removed.

    Args:
        trace: of a model.
        kept: units that stay, by the names of groups that are no blocks.

    Raises:
        ValueError: a name or an index is unknown, or nothing is left of a group.
    """
    named = {name: units for name, units in named_units(trace).items() if units.fixed is None}
    gone = np.zeros(trace.units.count, dtype=bool)
    for name, indices in kept.items():
        if name not in named:
            raise ValueError(f"No group {name!r} can be changed; those that can: {', '.join(named)}.")
        roots = named[name].roots
        if any(not 0 <= index < len(roots) for index in indices):
            raise ValueError(f"The units of {name!r} are 0 to {len(roots) - 1}.")
        stays = np.zeros(len(roots), dtype=bool)
        stays[list(indices)] = True
        if not stays.any():
            raise ValueError(f"At least one unit of {name!r} has to stay.")
        gone[roots[~stays]] = True
    return gone


def _grouped(trace: Trace) -> Iterator[UnitsOfGroup]:
    """Allocations that share a unit that can be removed are one group, but for parts that a tensor has alone."""
    units = trace.units
    pieces = defaultdict(list)
    for number, piece in enumerate([*units.pieces, *(allocation.labels for allocation in units.allocations)]):
        for root in np.unique(units.roots(piece)).tolist():
            pieces[root].append(number)
    owner: dict[int, int] = {}
    parents: list[int] = []

    def top(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    sets: list[tuple[Allocation, list[int]]] = []
    for allocation in units.allocations:
        parts: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for root in dict.fromkeys(units.roots(allocation.labels).tolist()):
            fixed = units.reason(root) is not None
            parts[(-1,) if fixed else tuple(pieces[root])].append(root)
        for key, roots in parts.items():
            index = len(sets)
            sets.append((allocation, roots))
            parents.append(index)
            for root in roots if key != (-1,) else ():
                low, high = sorted((top(owner.setdefault(root, index)), top(index)))
                parents[high] = low
    together: dict[int, list[int]] = defaultdict(list)
    for index in range(len(sets)):
        together[top(index)].append(index)
    for indices in together.values():
        allocations = [sets[index][0] for index in indices]
        roots = list(dict.fromkeys(root for index in indices for root in sets[index][1]))
        reason = units.reason(roots[0])
        if reason is None and len(roots) == 1:
            reason = "it is one unit"
        yield UnitsOfGroup(allocations, np.asarray(roots), reason)


def _channels(trace: Trace, units: UnitsOfGroup) -> int:
    first = units.allocations[0]
    roots, counts = np.unique(trace.units.roots(first.labels), return_counts=True)
    return first.channels * int(counts[np.isin(roots, units.roots)].min(initial=len(first.labels)))


class Positions:
    """Where units of which groups are along an axis."""

    def __init__(self, trace: Trace, named: dict[str, UnitsOfGroup]) -> None:
        self._groups = list(named.items())
        self._group = np.full(trace.units.count, -1)
        self._unit = np.full(trace.units.count, -1)
        self._known: dict[bytes, list[tuple[str, tuple[tuple[int, ...], ...]]]] = {}
        for number, (_, units) in enumerate(self._groups):
            self._group[units.roots] = number
            self._unit[units.roots] = np.arange(len(units.roots))

    def of(self, labels: Array) -> list[tuple[str, tuple[tuple[int, ...], ...]]]:
        """Each group with units among the labels, and the positions of each of its units."""
        key = labels.tobytes()
        if key not in self._known:
            groups, units = self._group[labels], self._unit[labels]
            self._known[key] = [self._one(number, groups, units) for number in np.unique(groups) if number >= 0]
        return self._known[key]

    def _one(self, number: int, groups: Array, units: Array) -> tuple[str, tuple[tuple[int, ...], ...]]:
        name, own = self._groups[number]
        found: list[list[int]] = [[] for _ in own.roots]
        places = np.flatnonzero(groups == number)
        for place, unit in zip(places.tolist(), units[places].tolist(), strict=True):
            found[unit].append(place)
        return name, tuple(map(tuple, found))


def _members(trace: Trace, positions: Positions) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = defaultdict(list)
    for use in trace.uses:
        axis, labels = along_its_axis(trace, use.labels)
        for name, where in positions.of(labels) if axis is not None else ():
            found[name].append(Member(use.layer, use.weight, axis or 0, where, use.role))
    return found


def _sites(trace: Trace, positions: Positions) -> dict[str, list[OutputSite]]:
    found: dict[str, list[OutputSite]] = defaultdict(list)
    for path, labels in trace.visible.items():
        axis, along = along_its_axis(trace, labels)
        for name, where in positions.of(along) if axis is not None else ():
            found[name].append(OutputSite(path, axis or 0, where))
    return found


def along_its_axis(trace: Trace, labels: Array) -> tuple[int | None, Array]:
    """The axis along which labels differ, and their roots along it; None where they are all the same."""
    varying = [axis for axis, size in enumerate(trace.units.compressed(labels).shape) if size > 1]
    if not varying:
        return None, trace.units.roots(labels).reshape(-1)[:1]
    roots = trace.units.roots(labels)
    return varying[0], np.moveaxis(roots, varying[0], 0).reshape(roots.shape[varying[0]], -1)[:, 0]
