"""A SavedModel with a serving signature: for servers, and for any converter."""

from __future__ import annotations

from typing import Any

from tfopt.core.export import Export, ExportContext
from tfopt.core.records import ExportRecord


class SavedModel(Export):
    """Writes `saved_model/`; the float weights as trained, also after qat."""

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend import keras_files

        return [keras_files.export_saved_model(model, context)]
