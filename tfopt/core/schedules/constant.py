"""The final sparsity at once."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from tfopt.core.quantities import Share
from tfopt.core.schedules.base import Renewed, check_sparsity


class Constant(Renewed):
    """The final sparsity at once, renewed until the end."""

    kind: Literal["constant"] = "constant"
    """The name of the schedule."""
    final: Share
    """Sparsity from begin on."""

    _sparsity = field_validator("final")(check_sparsity)

    def final_sparsity(self) -> float:
        return self.final

    def ramp(self, progress: float) -> float:
        return self.final
