"""Half a cosine, as used by Dettmers and Zettlemoyer, "Sparse Networks from Scratch" (2019), arXiv:1907.04840."""

from __future__ import annotations

from math import cos, pi
from typing import Literal

from tfopt.core.config.schedules.base import Ramp


class Cosine(Ramp):
    """Rises gently at both ends: s = initial + (final - initial) * (1 - cos(pi * progress)) / 2."""

    kind: Literal["cosine"] = "cosine"
    """The name of the schedule."""

    def ramp(self, progress: float) -> float:
        return self.final - (self.final - self.initial) * (1 + cos(pi * progress)) / 2
