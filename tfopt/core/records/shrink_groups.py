"""What the shrink stage can remove from a model, found without training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupPreflight:
    """Units that can be removed one by one, each from every weight that has a part of it.

    Args:
        name: of the group, as in reports.
        kind: what a unit is: a channel, a head, a width, a residual block, a layer.
        units: how many there are.
        layers: paths of the layers with weights of the units.
        fixed: why none can be removed; None where all can but one.
    """

    name: str
    kind: str
    units: int
    layers: tuple[str, ...]
    fixed: str | None = None
