"""Which units stay: scores, widths within the budget, and the proof that the network is within it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import tf_keras

from tfopt.backend.shrinking.allocate import (
    Losses,
    below_threshold,
    by_losses,
    by_score,
    equal_shares,
    kept_units,
    uniform,
)
from tfopt.backend.shrinking.choices import DEFAULT_KINDS, Choice, Choices, Widths
from tfopt.backend.shrinking.graph import cost as exact_cost
from tfopt.backend.shrinking.graph import remove
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.networks import Pricing, first_units
from tfopt.backend.shrinking.scores import Scores
from tfopt.core.config.shrink_budget import Cost, Limit
from tfopt.core.config.shrinking import Shrinking

FoundCost = Callable[[tf_keras.Model], tuple[float, float]]
"""Cost of a built network and of the dense model, counted or measured together."""
_TRIES = 6
"""How often widths are chosen again because the network that was built costs more (or clearly less) than planned."""
_LEAST = 2 / 3
"""Of the units that equal shares would leave of a group, the share that stays in any case."""
_TOLERANCE = 0.02
"""How far below its budget a latency may stay without another try, as a share of it."""


@dataclass(frozen=True)
class Ranking:
    """What decides about units.

    Args:
        scores: of each unit, as the criterion gives them.
        across: the same, comparable across groups.
        losses: of narrowed groups, for `allocation: sensitivity`; None for the others.
    """

    scores: Scores
    across: Scores
    losses: Losses | None = None


@dataclass(frozen=True)
class Decision:
    """The result.

    Args:
        kept: units that stay.
        widths: how many, by group.
        cost: of the network, measured or counted on it.
        tries: what was tried, in order: planned and found cost.
    """

    kept: Kept
    widths: Widths
    cost: float
    tries: tuple[tuple[float, float], ...] = ()


def widths_within(shrinking: Shrinking, choices: Choices, ranking: Ranking, prices: Pricing, limit: float) -> Widths:
    """The widths by the allocation of a stage, within a limit on the cost that is computed for them."""
    if shrinking.allocation == "uniform":
        return prices.costs.settled(uniform(choices.choices, prices.of, limit))
    allowed = _not_far_below(choices.choices, equal_shares(choices.choices, prices.of, limit))
    if ranking.losses is not None:
        return prices.costs.settled(by_losses(allowed, ranking.losses, prices.of, limit))
    return prices.costs.settled(by_score(allowed, ranking.across, prices.of, limit))


def _not_far_below(choices: Sequence[Choice], equal: Widths) -> tuple[Choice, ...]:
    """The choices without widths far below those of equal shares, unless a recipe says how far groups may go.

    Scores and losses are those of few units that go; where most of a group goes, they promise too much. Singular values
    and branches have all their widths.
    """
    found = []
    for one in choices:
        limited = one.group.kind in DEFAULT_KINDS and not one.has_floor
        least = _LEAST * equal[one.name] if limited else 0
        found.append(replace(one, widths=tuple(width for width in one.widths if width >= least)))
    return tuple(found)


def decide(
    model: tf_keras.Model,
    shrinking: Shrinking,
    choices: Choices,
    ranking: Ranking,
    prices: Pricing,
    found_cost: FoundCost,
) -> Decision:
    """Chooses the units that stay, and proves the budget on the network that results.

    Args:
        model: with trained weights.
        shrinking: the keys.
        choices: what can be narrowed.
        ranking: what decides.
        prices: costs of networks.
        found_cost: cost of a built network and of the dense model, counted or measured together.
    """
    limit = shrinking.to.limit
    if limit is None:
        below = below_threshold(choices.choices, ranking.scores, shrinking.to.threshold or 0.0)
        widths = prices.costs.settled(below)
        kept = kept_units(choices.choices, ranking.scores, widths)
        return Decision(kept, widths, prices.of(widths))
    return _within(model, shrinking, choices, ranking, prices, limit, found_cost)


def _within(
    model: tf_keras.Model,
    shrinking: Shrinking,
    choices: Choices,
    ranking: Ranking,
    prices: Pricing,
    limit: Limit,
    found_cost: FoundCost,
) -> Decision:
    asked = limit.of(prices.of(choices.full))
    smallest = prices.of(choices.smallest)
    tries: list[tuple[float, float]] = []
    found: dict[tuple[int, ...], tuple[float, Decision]] = {}
    for _ in range(_TRIES):
        widths = widths_within(shrinking, choices, ranking, prices, max(asked, smallest))
        mark = tuple(widths[choice.name] for choice in choices.choices)
        if mark in found:
            break
        cost, dense = found_cost(remove(model, first_units(choices.choices, widths)))
        tries.append((prices.of(widths), cost))
        share = cost / limit.of(dense)
        found[mark] = share, Decision(kept_units(choices.choices, ranking.scores, widths), widths, cost)
        if 1 - _TOLERANCE <= share <= 1 or (limit.cost != "latency" and share <= 1):
            break
        asked /= share
    _, best = min(found.values(), key=lambda one: _distance(one[0]))
    return Decision(best.kept, best.widths, best.cost, tuple(tries))


def _distance(share: float) -> tuple[bool, float]:
    """How far a cost is from its budget, as a share of that: within it comes before outside of it."""
    return share > 1, abs(share - 1)


def counted(cost: Cost, dense: tf_keras.Model) -> FoundCost:
    """Counts operations, weights or bytes of a built network and of the dense model."""

    def amount(model: tf_keras.Model) -> float:
        found = exact_cost(model)
        return {"macs": found.macs, "parameters": found.parameters, "bytes": 4 * found.parameters}[cost]

    before = amount(dense)
    return lambda network: (amount(network), before)
