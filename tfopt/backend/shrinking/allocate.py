"""How a budget is shared out among groups, and which units stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import LinearConstraint, milp

from tfopt.backend.shrinking.choices import Choice, Widths
from tfopt.backend.shrinking.costs import CostOf
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.scores import Scores

Losses = Mapping[str, Mapping[int, float]]
"""Rise of the loss when one group has a width and all others are full, by width, by name of the group."""

_ROUNDS = 12
"""Of linearizing the cost around the solution before."""


def equal_shares(choices: Sequence[Choice], cost: CostOf, limit: float) -> dict[str, int]:
    """Every group keeps the same share of its units, as large as the limit allows.

    Args:
        choices: groups and their widths.
        cost: of a network.
        limit: what it may cost; at least the cost of the smallest network.
    """
    shares = sorted({width / choice.group.units for choice in choices for width in choice.widths})
    low, high = 0, len(shares) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if cost(_at_share(choices, shares[middle])) <= limit:
            low = middle
        else:
            high = middle - 1
    return _at_share(choices, shares[low])


def uniform(choices: Sequence[Choice], cost: CostOf, limit: float) -> Widths:
    """Equal shares; what they leave of the limit, for widths are in steps, goes to the groups with the smallest shares.

    Args:
        choices: groups and their widths.
        cost: of a network.
        limit: what it may cost; at least the cost of the smallest network.
    """
    units = {choice.name: choice.group.units for choice in choices}
    found = equal_shares(choices, cost, limit)
    return _filled(choices, lambda name, before, after: units[name] / before, cost, limit, found)


def by_score(choices: Sequence[Choice], scores: Scores, cost: CostOf, limit: float) -> Widths:
    """Units of all groups are ranked together: what loses the least score for the cost that it saves goes first.

    Args:
        choices: groups and their widths.
        scores: comparable across groups.
        cost: of a network.
        limit: what it may cost; at least the cost of the smallest network.
    """
    widths = {choice.name: choice.group.units for choice in choices}
    ranked = {choice.name: np.sort(scores[choice.name]) for choice in choices}
    rivals = {choice.name: [one for one in choices if choice.excludes(one)] for choice in choices}
    now = cost(widths)
    while now > limit:
        steps: list[tuple[float, str, int, float]] = []
        for choice in choices:
            before = widths[choice.name]
            narrower = [width for width in choice.widths if width < before]
            if not narrower or any(widths[one.name] < one.group.units for one in rivals[choice.name]):
                continue
            width, units = narrower[-1], choice.group.units
            then = cost({**widths, choice.name: width})
            lost = float(ranked[choice.name][units - before : units - width].sum())
            if then < now:
                steps.append((lost / (now - then), choice.name, width, then))
        if not steps:
            return widths
        _, name, width, now = min(steps)
        widths[name] = width

    def gain(name: str, before: int, after: int) -> float:
        units = len(ranked[name])
        return float(ranked[name][units - after : units - before].sum())

    return _filled(choices, gain, cost, limit, widths)


def below_threshold(choices: Sequence[Choice], scores: Scores, threshold: float) -> Widths:
    """Every unit whose score is below a threshold goes, as far as the widths of its group allow."""
    found = {}
    for choice in choices:
        stay = int((scores[choice.name] >= threshold).sum())
        found[choice.name] = next(width for width in choice.widths if width >= stay)
    return found


def by_losses(choices: Sequence[Choice], losses: Losses, cost: CostOf, limit: float) -> Widths:
    """The widths with the least sum of measured losses within the limit, by integer programming.

    The cost of a layer is a product of the widths on its two sides. It is linearized around a solution, the program is
    solved, and so on; the best solution within the limit that was seen is returned.

    Args:
        choices: groups and their widths.
        losses: measured for each width of each group.
        cost: of a network.
        limit: what it may cost; at least the cost of the smallest network.
    """
    best = uniform(choices, cost, limit)
    best_loss = _loss(losses, best)
    around, allowed = best, limit
    seen: set[tuple[int, ...]] = set()
    for _ in range(_ROUNDS):
        solved = _solve(choices, losses, cost, around, allowed)
        if solved is None:
            allowed = limit
            break
        price, loss = cost(solved), _loss(losses, solved)
        if price <= limit and loss < best_loss:
            best, best_loss = solved, loss
        if price > limit:
            allowed -= price - limit
        mark = tuple(solved[choice.name] for choice in choices)
        if mark in seen and price <= limit:
            break
        seen.add(mark)
        around = solved

    def gain(name: str, before: int, after: int) -> float:
        return losses[name][before] - losses[name][after]

    return _filled(choices, gain, cost, limit, best)


def kept_units(choices: Sequence[Choice], scores: Scores, widths: Widths) -> dict[str, tuple[int, ...]]:
    """The units with the largest scores, ascending, of every group that is narrowed."""
    found = {}
    for choice in choices:
        width = widths.get(choice.name, choice.group.units)
        if width < choice.group.units:
            order = np.argsort(-scores[choice.name], kind="stable")[:width]
            found[choice.name] = tuple(sorted(int(unit) for unit in order))
    return found


def widths_of(choices: Sequence[Choice], kept: Kept) -> dict[str, int]:
    """How many units of each group stay."""
    return {choice.name: len(kept.get(choice.name, range(choice.group.units))) for choice in choices}


def _at_share(choices: Sequence[Choice], share: float) -> dict[str, int]:
    """Per group the largest width that is at most this share of it, or its smallest."""
    return {
        choice.name: max(
            (width for width in choice.widths if width <= share * choice.group.units + 1e-9), default=choice.widths[0]
        )
        for choice in choices
    }


def _loss(losses: Losses, widths: Widths) -> float:
    return sum(losses[name][width] for name, width in widths.items())


def _solve(
    choices: Sequence[Choice], losses: Losses, cost: CostOf, around: Widths, limit: float
) -> dict[str, int] | None:
    """One integer program: a width for each group, with the cost that each would have alone around a solution."""
    base = cost(around)
    units = {choice.name: choice.group.units for choice in choices}
    columns = [(choice.name, width) for choice in choices for width in choice.widths]
    change = np.array([cost({**around, name: width}) - base for name, width in columns])
    value = np.array([losses[name][width] for name, width in columns])
    one_each = np.array([[float(name == choice.name) for name, _ in columns] for choice in choices])
    pairs = [(one, other) for one, other in combinations(choices, 2) if one.excludes(other)]
    narrowed = np.array([[float(width < units[name]) for name, width in columns]])
    one_of = [narrowed * np.array([[name in (one.name, other.name) for name, _ in columns]]) for one, other in pairs]
    scale = max(abs(base), 1e-12)
    found = milp(
        value,
        integrality=np.ones(len(columns)),
        bounds=(0, 1),
        constraints=[
            LinearConstraint(one_each, 1, 1),
            LinearConstraint(change[None] / scale, -np.inf, (limit - base) / scale),
            *(LinearConstraint(row, -np.inf, 1) for row in one_of),
        ],
        options={"time_limit": 20.0},
    )
    if found.x is None:
        return None
    return {name: width for (name, width), taken in zip(columns, found.x, strict=True) if taken > 0.5}


def _filled(
    choices: Sequence[Choice], gain: Callable[[str, int, int], float], cost: CostOf, limit: float, widths: Widths
) -> Widths:
    """Widths that are raised one by one, the one with the most gain first, as long as the limit allows it.

    Args:
        choices: groups and their widths.
        gain: of a group, from a width to a larger one.
        cost: of a network.
        limit: what it may cost.
        widths: to begin with.
    """
    now = dict(widths)
    while True:
        steps = []
        for choice in choices:
            before = now[choice.name]
            after = next((width for width in choice.widths if width > before), None)
            if after is None or cost({**now, choice.name: after}) > limit:
                continue
            steps.append((gain(choice.name, before, after), choice.name, after))
        if not steps or max(steps)[0] <= 0:
            return now
        _, name, width = max(steps)
        now[name] = width
