"""The weights of a teacher's layers as the ones that a smaller model begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfopt.core.config.initialization import Initialization
from tfopt.core.contracts.stage import Stage, StageContext
from tfopt.core.contracts.types import Model

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Initialize(Initialization, Stage):
    """Copies weights of a teacher into the model, such as every second block: a student to be trained by `distill`.

    DistilBERT (Sanh et al. 2019, arXiv:1910.01108) begins so.
    """

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import initialize as initialization

        return initialization.preflight(model, self, workload)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import initialize as initialization

        return initialization.initialize(model, self, context)
