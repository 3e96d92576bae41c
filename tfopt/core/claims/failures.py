"""What is left of an export that failed: a record whose broken claim says what happened. The other exports go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from tfopt.core.claims.agreement import broken_claim
from tfopt.core.records.report import ClaimRecord, ExportRecord
from tfopt.errors import TfoptError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """Why a part of an export could not be done.

    Args:
        reason: what happened, as a sentence.
        code: of the error, one of `tfopt.core.language.error_codes`.
    """

    reason: str
    code: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The failure that an exception tells of; one that is not of tfopt keeps its class in the sentence."""
        if isinstance(error, TfoptError):
            return cls(str(error), error.code)
        return cls(f"{type(error).__name__}: {str(error).strip() or 'it gives no reason'}", "export_failed")


def attempt(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | Failure:
    """The result of some work on one export, or why it failed: what fails there must not cost the other exports.

    Args:
        work: runs code of TensorFlow, Keras, LiteRT or a plugin, which can raise anything.
        arguments: of `work`.
        options: of `work`.
    """
    try:
        return work(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - foreign code runs here
        return Failure.of(error)


def failed_export(name: str, kind: str, path: str, failure: Failure) -> ExportRecord:
    """The record of an export of which there is no file.

    Args:
        name: of the record.
        kind: its format.
        path: where the file would be, relative to the run folder.
        failure: what happened.
    """
    return ExportRecord(
        name=name,
        format=kind,
        path=path,
        bytes=0,
        gzip_bytes=0,
        measures={},
        claims=[unwritten_claim(kind, failure)],
        error=failure.reason,
        error_code=failure.code,
    )


def unwritten_claim(kind: str, failure: Failure) -> ClaimRecord:
    """The broken claim of a file that does not exist."""
    if kind == "tflite":
        return broken_claim("converts to .tflite", failure.reason, code="converted")
    return broken_claim("the file is written and read back", failure.reason, code="written")


def unmeasured(record: ExportRecord, failure: Failure) -> ExportRecord:
    """A record of a file that exists, of which a measurement failed."""
    claim = broken_claim("the file can be measured", failure.reason, code="measured")
    return record.model_copy(
        update={"claims": [*record.claims, claim], "error": failure.reason, "error_code": failure.code}
    )
