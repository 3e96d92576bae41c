"""Allocation: how the zeros of a model are distributed over its layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import field_validator, model_validator

from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share, format_share


class GlobalAllocation(Block):
    """One threshold over all layers: the smallest weights of the whole model go, wherever they are.

    Layers with a schedule or an m-by-n pattern of their own follow that, and take no part.
    """

    kind: Literal["global"] = "global"
    """The name of the allocation."""
    floor: Share = 0.0
    """The least sparsity of a layer, as soon as the schedule is there."""
    ceiling: Share = 0.99
    """The greatest sparsity of a layer, so that none is cut off."""

    @field_validator("floor", "ceiling")
    @classmethod
    def _share(cls, value: float) -> float:
        if not 0 <= value < 1:
            raise ValueError("must be at least 0% and below 100%")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> GlobalAllocation:
        if self.floor > self.ceiling:
            raise KeyMistake(
                ("floor",),
                f"floor is {format_share(self.floor)}, above ceiling ({format_share(self.ceiling)})",
                code="out_of_range",
            )
        return self

    def problem(self, final: float) -> tuple[str, str] | None:
        """Why layers between floor and ceiling cannot have `final` zeros together: (key, message); None if they can."""
        asked = f"schedule.final ({format_share(final)})"
        if final > self.ceiling:
            most = format_share(self.ceiling)
            return "ceiling", f"allows a layer at most {most}, below {asked}: no way of sharing out reaches it"
        if final < self.floor:
            least = format_share(self.floor)
            return "floor", f"gives a layer at least {least}, above {asked}: there would be more zeros than asked for"
        return None


Allocation = Literal["uniform", "global"] | GlobalAllocation
"""`uniform`: every layer follows the schedule; `global`, or with its bounds: one threshold over all of them."""


def global_allocation(allocation: Allocation) -> GlobalAllocation | None:
    """The bounds of one threshold over all layers; None where every layer follows the schedule."""
    if isinstance(allocation, GlobalAllocation):
        return allocation
    return GlobalAllocation() if allocation == "global" else None


def share_out(
    sizes: Sequence[int],
    share_below: Callable[[float], Sequence[float]],
    largest: float,
    target: float,
    floor: float = 0.0,
    ceiling: float = 1.0,
) -> list[float]:
    """The sparsity of each layer under one magnitude threshold, as water-filling.

    The threshold is raised until the layers together have `target` zeros; a layer stays at `floor` until the threshold
    comes to it and stops at `ceiling`. Where the target is outside of them (a schedule that begins at 0), they give
    way to it. Where many weights are equal, all layers get the same part of the last jump, so that the overall sparsity
    is exact. Magnitude pruning with one threshold is the "global" one of Blalock et al., "What is the State of Neural
    Network Pruning?" (2020), arXiv:2003.03033.

    Args:
        sizes: weights of each layer.
        share_below: the share of each layer's weights whose magnitude is at most the given one; never falls.
        largest: the largest magnitude of all.
        target: overall sparsity, 0 to 1.
        floor: least sparsity of a layer.
        ceiling: greatest sparsity of a layer.

    Returns:
        Sparsity of each layer; their mean, weighted by size, is `target`.
    """
    lowest, highest = min(floor, target), max(ceiling, target)
    wanted = target * sum(sizes)

    def shares(threshold: float) -> list[float]:
        return [min(max(share, lowest), highest) for share in share_below(threshold)]

    def zeros(found: Sequence[float]) -> float:
        return sum(size * share for size, share in zip(sizes, found, strict=True))

    too_low, high_enough = -1.0, largest
    while too_low < (middle := (too_low + high_enough) / 2) < high_enough:
        if zeros(shares(middle)) < wanted:
            too_low = middle
        else:
            high_enough = middle
    before, after = shares(too_low), shares(high_enough)
    jump = zeros(after) - zeros(before)
    part = min(max((wanted - zeros(before)) / jump, 0.0), 1.0) if jump > 0 else 0.0
    return [low + part * (high - low) for low, high in zip(before, after, strict=True)]
