"""A `.keras` file: the optimized model for whoever trains or converts it further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.contracts.types import Model

if TYPE_CHECKING:
    from tfopt.core.records.report import ExportRecord


class Keras(Export):
    """Writes `model.keras`; the float weights as trained, also after qat."""

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export import keras as keras_files

        return [keras_files.export_keras(model, context)]
