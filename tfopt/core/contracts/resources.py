"""What each trial asks of the machines of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tfopt.errors import UsageError

Placement = Literal["pack", "spread"]
"""`pack`: Ray's own rule, which fills nodes up to half, then takes the least used; `spread`: many nodes."""


@dataclass(frozen=True)
class Resources:
    """Processors and GPUs of each trial, and where trials go.

    Args:
        cpus: processors; None gives each trial an equal share.
        gpus: GPUs; a fraction (0.5) lets trials share one.
        placement: how trials are spread over nodes.
        retries: how often a trial starts again because its node was lost.

    Raises:
        UsageError: a value makes no sense.
    """

    cpus: int | None = None
    gpus: float = 0.0
    placement: Placement = "pack"
    retries: int = 3

    def __post_init__(self) -> None:
        if self.cpus is not None and self.cpus < 1:
            raise UsageError(f"A trial needs at least one processor. Got {self.cpus}.", code="usage")
        # 0.0001 is Ray's smallest fraction.
        if not (self.gpus == 0 or self.gpus >= 1e-4) or (self.gpus > 1 and self.gpus % 1):
            raise UsageError(
                f"GPUs of a trial are a whole number, or a fraction of one. Got {self.gpus:g}.",
                "Write 0.5 for two trials per GPU, 1, 2, ...",
                code="usage",
            )
        if self.retries < 0:
            raise UsageError(f"Retries cannot be negative. Got {self.retries}.", code="usage")

    def trials_on(self, cpus: float, gpus: float) -> int:
        """How many trials run at a time on a node with so many processors and GPUs.

        Args:
            cpus: processors of the node.
            gpus: GPUs of the node.
        """
        by_cpus = int(cpus // (self.cpus or 1))
        if not self.gpus:
            return by_cpus
        # A trial of half a GPU cannot take two quarters of two GPUs.
        by_gpus = int(1 / self.gpus) * int(gpus) if self.gpus <= 1 else int(gpus // self.gpus)
        return min(by_cpus, by_gpus)


DEFAULT_RESOURCES = Resources()
"""Nothing but a share of the processors."""
