"""A stage of another package that quantizes: what a package names in the entry point group `tfopt.stages`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfopt.core.config.quantization import FloatPolicy, Quantization
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext, TrainingStage


class Rounded(TrainingStage):
    """Rounds to 8 bits in training, and allows no layer to compute in float."""

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "quantized"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse"})
    last: ClassVar[bool] = True

    calibration: int = 64
    """Training examples that set the ranges."""

    def preflight(self, model: Any, workload: Workload) -> Preflight:
        return Preflight(warnings=("comes from another package.",))

    def float_policy(self) -> FloatPolicy:
        return "forbid"

    def apply(self, model: Any, context: StageContext) -> StageResult:
        from tfopt.backend.stages.qat import quantize_aware_train

        return quantize_aware_train(model, self, Quantization(calibration=self.calibration), context)


class OldFashioned(TrainingStage):
    """Returns the model alone, as stages of 0.1.0 did."""

    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse"})

    def apply(self, model: Any, context: StageContext) -> Any:
        return model
