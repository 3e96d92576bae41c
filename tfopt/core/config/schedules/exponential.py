"""Exponential decay of the weights that are left."""

from __future__ import annotations

from typing import Literal

from tfopt.core.config.schedules.base import Ramp, geometric


class Exponential(Ramp):
    """Removes the same share of what is left each time: 1 - s = (1 - initial)^(1 - progress) * (1 - final)^progress."""

    kind: Literal["exponential"] = "exponential"
    """The name of the schedule."""

    def ramp(self, progress: float) -> float:
        return geometric(self.initial, self.final, progress)
