"""A `.keras` file: the optimized model for whoever trains or converts it further."""

from __future__ import annotations

from typing import Any

from tfopt.core.export import Export, ExportContext
from tfopt.core.records import ExportRecord


class Keras(Export):
    """Writes `model.keras`; the float weights as trained, also after qat."""

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend import keras_files

        return [keras_files.export_keras(model, context)]
