"""Audits a model file of any type and origin, in a child process with limits: a hostile file can hang or crash it."""

from __future__ import annotations

from pathlib import Path

from tfopt.backend.audit import sizes
from tfopt.backend.tflite import child_process
from tfopt.backend.tflite.limits import Limits, doing
from tfopt.core.records.report import AuditRecord
from tfopt.core.records.what_it_is import what_it_is
from tfopt.errors import ExportError, UsageError

_TYPES = (".tflite", ".keras", ".h5", ".hdf5")
_DAMAGED = "It was damaged, or made to break programs that read it; get it from its source again."


def inspect(path: Path | str) -> AuditRecord:
    """Audits a file by its type, without running it.

    Args:
        path: a `.tflite`, `.keras` or `.h5` file, or a SavedModel folder.

    Raises:
        UsageError: no such file, or of a different type.
        ExportError: it is malformed.
    """
    path = _checked(Path(path))
    return read_safely(path, "tfopt.backend.audit.inspect:audit_as_json")


def read_safely(path: Path, function: str) -> AuditRecord:
    """The audit that a function makes of a file in a child process.

    Args:
        path: the file or folder.
        function: `package.module:function` with the argument `path`, a string; returns an AuditRecord as plain values.

    Raises:
        ExportError: it is malformed; the code of the function's own error is kept.
    """
    limits = Limits.for_reading(sizes.num_bytes(path), tensorflow=path.suffix != ".tflite")
    try:
        found = child_process.call(function, {"path": str(path)}, limits)
    except child_process.ProcessFailed as failed:
        if "MemoryError" in failed.kinds:
            message = f"{path} is malformed: to read it takes more than {(limits.memory or 0) / 1e9:.0f} GB of memory."
            raise ExportError(message, _DAMAGED, code="malformed_file") from failed
        if "TfoptError" not in failed.kinds:
            raise ExportError(f"{path} is malformed: {failed}.", _DAMAGED, code="malformed_file") from failed
        raise ExportError(failed.reason, code=failed.own_code) from failed
    except child_process.ProcessCrashed as crash:
        message = f"{path} is malformed: while it was read, {crash.sentence}."
        raise ExportError(message, _DAMAGED, code="malformed_file") from crash
    return AuditRecord.model_validate(found)


def audit_as_json(path: str) -> dict[str, object]:
    """Runs in the child process of `inspect`."""
    doing(f"read {path}")
    audit = audit_file(Path(path)).model_copy(
        update={
            "bytes": sizes.num_bytes(Path(path)),
            "gzip_bytes": sizes.num_gzip_bytes(Path(path)),
            "zstd_bytes": sizes.num_zstd_bytes(Path(path)),
        }
    )
    return audit.model_copy(update={"notes": list(what_it_is(audit, Path(path).name))}).model_dump(mode="json")


def audit_file(path: Path) -> AuditRecord:
    """Audits a file of one's own by its type, in this process.

    Raises:
        UsageError: no such file, or of a different type.
        ExportError: it is malformed.
    """
    path = _checked(path)
    if path.is_dir():
        from tfopt.backend.audit.saved_model import audit_saved_model

        return audit_saved_model(path)
    if path.suffix == ".tflite":
        from tfopt.backend.audit.tflite import audit_tflite

        return audit_tflite(path)
    from tfopt.backend.audit.keras import audit_keras

    return audit_keras(path)


def _checked(path: Path) -> Path:
    """The path of a file that can be audited; the folder of a SavedModel for the file in it."""
    if not path.exists():
        raise UsageError(f"There is no file {path}.", code="file_not_found")
    if path.name == "saved_model.pb":
        return path.parent
    if not path.is_dir() and path.suffix not in _TYPES:
        raise UsageError(
            f"{path} is of a type that cannot be inspected.",
            "Expected .tflite, .keras, .h5, or a SavedModel folder.",
            code="unknown_file_type",
        )
    return path
