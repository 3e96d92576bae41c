"""Quantization-aware training in 8 bits: tfmot's `quantize_apply` with a corrected scheme."""

from __future__ import annotations

from typing import Any, ClassVar

from tfopt.core.config.quantization import Quantization, Require
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.stage import StageContext, TrainingStage


class Qat(Quantization, TrainingStage):
    """Trains on while weights and activations are rounded to 8 bits, so that the int8 file loses little.

    Ranges are calibrated on training data before the first step; sparsity and clusters of earlier stages are
    preserved by the scheme that fits them, chosen without being asked.
    """

    version: ClassVar[int] = 3
    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "quantized"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse", "clustered"})
    last: ClassVar[bool] = True
    not_in_key: ClassVar[frozenset[str]] = frozenset({"require"})

    require: Require = "listed"
    """Which layers must be integer in the int8 file. `all`: every one; a layer known to stay float is an error before
    training. `listed`: all but those that `tfopt plan` lists, each with its reason; float in any other breaks the
    claim of the file. `none`: float is only reported."""

    def preflight(self, model: Any, workload: Workload) -> Preflight:
        from tfopt.backend import quantization

        return quantization.look_ahead(model, self, workload, self.require)

    def apply(self, model: Any, context: StageContext) -> Any:
        from tfopt.backend.stages.qat import quantize_aware_train

        return quantize_aware_train(model, self, self, context)
