"""A `.keras` file: the optimized model for whoever trains or converts it further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.records.report import ExportRecord


class Keras(Export):
    """Writes `model.keras`; the float weights as trained, also after qat."""

    accept: tuple[AcceptedClaim, ...] | None = None
    """Claims about this file that may be broken, each with the reason: a known deviation is shown as accepted and does
    not fail the run."""

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.backend.graph.saved_model_layer import reason_without_layers
        from tfopt.core.contracts.preflight import Preflight

        reason = reason_without_layers(model)
        if reason is None:
            return Preflight()
        return Preflight(problems=(Mistake((), f"export.keras cannot be written: {reason}.", code="no_layers"),))

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export.keras_files import keras as keras_files

        return [keras_files.export_keras(model, context, self.accept or ())]
