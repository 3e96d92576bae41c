"""Polynomial decay of the weights that are left (Zhu and Gupta 2017, arXiv:1710.01878)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfopt.core.config.schedules.base import Ramp


class Polynomial(Ramp):
    """Rises fast at first and slows down: s = final + (initial - final) * (1 - progress)^power."""

    kind: Literal["polynomial"] = "polynomial"
    """The name of the schedule."""
    power: Annotated[float, Field(gt=0)] = 3.0
    """Exponent of the curve; 1 is a straight line, tfmot's default is 3."""

    def ramp(self, progress: float) -> float:
        return float(self.final + (self.initial - self.final) * (1 - progress) ** self.power)
