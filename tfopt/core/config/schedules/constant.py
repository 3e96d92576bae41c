"""The final sparsity at once."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from tfopt.core.config.schedules.base import EvenlyUpdated, check_sparsity
from tfopt.core.language.quantities import Share


class Constant(EvenlyUpdated):
    """The final sparsity at once, updated until the end."""

    kind: Literal["constant"] = "constant"
    """The name of the schedule."""
    final: Share
    """Sparsity from begin on."""

    _sparsity = field_validator("final")(check_sparsity)

    def final_sparsity(self) -> float:
        return self.final

    def ramp(self, progress: float) -> float:
        return self.final
