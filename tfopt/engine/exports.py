"""Writes the exports of a run: one that fails costs its own files, never the others."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.claims.failures import Failure, attempt, failed_export
from tfopt.core.contracts.events import ExportFinished
from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.contracts.types import Model
from tfopt.core.records.report import ExportRecord
from tfopt.errors import ExportError

_CANNOT_WRITE = "cannot_write"


def write_targets(targets: Sequence[Export], model: Model, context: ExportContext) -> list[ExportRecord]:
    """Writes every export target.

    Args:
        targets: in the order of the recipe.
        model: of the last stage.
        context: folder, data and what must hold.

    Returns:
        One record per name of each target; a target that raises has records whose broken claim says why.
    """
    return [record for target in targets for record in _written(target, model, context)]


def _written(target: Export, model: Model, context: ExportContext) -> list[ExportRecord]:
    written = attempt(target.write, model, context)
    if not isinstance(written, Failure):
        return written
    folder = context.folder.name
    records = [failed_export(name, target.kind, f"{folder}/{name}", written) for name in target.names()]
    for record in records:
        context.emit(ExportFinished(record.name, 0, {}, held=False))
    return records


def unwritable(records: Sequence[ExportRecord]) -> ExportError | None:
    """The error of a folder or disk that cannot be written: not the fault of a file, so the run fails with it."""
    found = [record for record in records if record.error_code == _CANNOT_WRITE]
    if not found:
        return None
    others = [record.name for record in records if record.bytes]
    kept = f"These files are written: {', '.join(others)}." if others else ""
    return ExportError(found[0].error or "", kept, code="cannot_write")
