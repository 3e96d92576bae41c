"""Audits a model file of any type."""

from __future__ import annotations

from pathlib import Path

from tfopt.backend.audit.keras import audit_keras
from tfopt.backend.audit.saved_model import audit_saved_model
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.core.records.report import AuditRecord
from tfopt.errors import UsageError


def inspect(path: Path | str) -> AuditRecord:
    """Audits a file by its type, without running it.

    Args:
        path: a `.tflite`, `.keras` or `.h5` file, or a SavedModel folder.

    Raises:
        UsageError: no such file, or of a different type.
        ExportError: it is malformed.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"There is no file {path}.", code="file_not_found")
    if path.name == "saved_model.pb":
        path = path.parent
    if path.is_dir():
        return audit_saved_model(path)
    return audit_tflite(path) if path.suffix == ".tflite" else audit_keras(path)
