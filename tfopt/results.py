"""What the functions of `tfopt.api` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from tfopt.core.contracts.trial import TrialConversion
    from tfopt.core.records.explanation import ExplanationRecord
    from tfopt.core.records.layer_support import LayerPreflight, Totals
    from tfopt.core.records.phone import PhoneReport
    from tfopt.core.records.report import AuditRecord, Environment
    from tfopt.core.records.run import Run
    from tfopt.core.records.shrink_groups import GroupPreflight
    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison


@dataclass(frozen=True)
class ValidationResult:
    """What `validate` found in one recipe.

    Args:
        path: the file.
        problems: every mistake, in the order of the file.
        code: `package.module:function` texts that running the recipe would import.
    """

    path: str
    problems: tuple[Problem, ...]
    code: tuple[str, ...]


@dataclass(frozen=True)
class CatalogEntry:
    """One thing that a recipe can name.

    Args:
        name: how a recipe names it.
        summary: what it is, in a sentence.
        origin: `tfopt`, or the package that brings it.
        arguments: what it can be given.
    """

    name: str
    summary: str
    origin: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class DoctorReport:
    """What `doctor` found.

    Args:
        environment: versions, processor, threads.
        mismatches: what cannot work, each with its one-line fix.
        layers: what each layer of the model supports; empty without a model, and where a package is missing.
        totals: the layers added up; None without a model.
        files: what the converter makes of the model: `float32`, `dynamic` and `int8`.
        groups: what the shrink stage can remove from the model, and what not and why.
    """

    environment: Environment
    mismatches: tuple[str, ...]
    layers: tuple[LayerPreflight, ...] = ()
    totals: Totals | None = None
    files: tuple[TrialConversion, ...] = ()
    groups: tuple[GroupPreflight, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What `inspect` found in a file that was compared with a model.

    Args:
        audit: what the file contains.
        explanation: how its predictions and the values inside it differ from the model's.
    """

    audit: AuditRecord
    explanation: ExplanationRecord


@dataclass(frozen=True)
class ExplorerFiles:
    """Node data for Model Explorer.

    Args:
        files: the documents, one per measure.
        command: opens the model with all of them.
        installed: whether Model Explorer is installed.
    """

    files: tuple[Path, ...]
    command: tuple[str, ...]
    installed: bool


@dataclass(frozen=True)
class ComparisonResult:
    """What `compare` found.

    Args:
        table: one row per variant, and verdicts on them.
        candidates: the runs behind it.
    """

    table: Comparison
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class PhoneBench:
    """What `bench_on_phone` measured.

    Args:
        measured: the phone, and a row per file, accelerator and number of threads.
        run: the run whose report has the figures now; None where files were measured.
    """

    measured: PhoneReport
    run: Run | None
