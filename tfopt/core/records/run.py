"""A finished run: its folder and its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfopt.core.records.report import ExportRecord, Report
from tfopt.errors import EXIT_NOT_MET, StageError


@dataclass(frozen=True)
class Run:
    """One execution of a recipe.

    Args:
        folder: `saved_models/<recipe>/<run-id>`.
        report: the content of `report.json`.
    """

    folder: Path
    report: Report

    @property
    def ok(self) -> bool:
        """Whether the run is done, every claim held and every budget was met."""
        return self.report.run.state == "done" and self.report.held

    @property
    def exit_code(self) -> int:
        """Exit code of the command line: 0, 5 for a run that stopped, 7 for a claim or budget that does not hold."""
        if self.report.run.state != "done":
            return StageError.exit_code
        return 0 if self.report.held else EXIT_NOT_MET

    def export(self, name: str) -> ExportRecord:
        """The record of one exported file.

        Raises:
            KeyError: the run has no export of that name.
        """
        for record in self.report.exports:
            if record.name == name:
                return record
        raise KeyError(name)

    def path(self, name: str) -> Path:
        """Path of the exported file of that name.

        Raises:
            KeyError: the run has no export of that name.
        """
        return self.folder / self.export(name).path
