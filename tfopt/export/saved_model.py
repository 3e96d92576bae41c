"""A SavedModel with a serving signature: for servers, and for any converter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.tflite_variant import Batch
from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.contracts.types import Model

if TYPE_CHECKING:
    from tfopt.core.records.report import ExportRecord


class SavedModel(Export):
    """Writes `saved_model/`; the float weights as trained, also after qat."""

    accept: tuple[AcceptedClaim, ...] | None = None
    """Claims about this file that may be broken, each with the reason: a known deviation is shown as accepted and does
    not fail the run."""
    batch: Batch | None = None
    """Examples per call of its signature: `1` or `dynamic` (default: `dynamic`)."""
    shape: Literal["data", "dynamic"] = "dynamic"
    """Axes that the model leaves open: `data` fixes them to the size of the examples."""

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export.keras_files import keras as keras_files

        batch = self.batch if isinstance(self.batch, int) else None
        return [keras_files.export_saved_model(model, context, self.accept or (), batch, self.shape == "data")]
