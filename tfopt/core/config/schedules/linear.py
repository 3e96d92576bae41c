"""A straight line."""

from __future__ import annotations

from typing import Literal

from tfopt.core.config.schedules.base import Ramp


class Linear(Ramp):
    """Rises evenly: s = initial + (final - initial) * progress."""

    kind: Literal["linear"] = "linear"
    """The name of the schedule."""

    def ramp(self, progress: float) -> float:
        return self.final - (self.final - self.initial) * (1 - progress)
