"""`tfopt inspect`: what a file really contains, and where its accuracy went."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer, Terminal
from tfopt.errors import EXIT_NOT_MET

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfopt.core.contracts.events import Event
    from tfopt.core.records.report import AuditRecord
    from tfopt.results import ExplorerFiles, Inspection


@click.command(
    name="inspect",
    short_help="Show what a file really contains, and where its accuracy went.",
    epilog="""\b
Examples:
  tfopt inspect model.tflite
  tfopt inspect model.tflite --json
  tfopt inspect model.keras
  tfopt inspect bundle/
  tfopt inspect model.tflite --against model.keras --data recipe.yaml
  tfopt inspect int8.tflite --against float32.tflite --data recipe.yaml --sensitivity --html where.html
  tfopt inspect model.tflite --explorer
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Compare a .tflite with this model: .keras, .h5, SavedModel or .tflite. Needs --data.",
)
@click.option("--data", type=click.Path(path_type=Path), metavar="RECIPE", help="Recipe whose data and metrics count.")
@click.option("--sensitivity", is_flag=True, help="Measure each layer by itself, and advise `layers:` rules.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the comparison as a page, with pictures.")
@click.option("--explorer", is_flag=True, help="Write node data for Model Explorer, and open it where it is installed.")
@click.option("--no-open", is_flag=True, help="With --explorer: only write.")
@click.option("--allow-unsafe", is_flag=True, help="Run Python code that the model of --against holds.")
@common
def command(
    file: Path,
    against: Path | None,
    data: Path | None,
    sensitivity: bool,
    html: Path | None,
    explorer: bool,
    no_open: bool,
    allow_unsafe: bool,
) -> Answer:
    """Show what FILE (.tflite, .keras, .h5, a SavedModel or a bundle) really contains.

    Types, sparsity, unique values and quantization of every weight, operators, and which of them still compute in
    float: read from the file, whatever its name claims. The files of a bundle are compared with its manifest and run on
    its golden inputs.

    With --against and --data, where the accuracy of a .tflite went: the error of each layer, accuracy by class, and
    the examples whose prediction changed. With --sensitivity also what quantizing each layer costs.
    """
    from tfopt import api
    from tfopt.report.files.claims import claims_text
    from tfopt.report.files.explorer import explorer_text
    from tfopt.report.files.text import audit_text
    from tfopt.report.shared.explanation_text import explanation_text
    from tfopt.results import Inspection

    if (file / "manifest.json").is_file():
        if against or data or sensitivity or html or explorer:
            raise click.UsageError(f"{file} is a bundle: use these options with one of its .tflite files.")
        claims = api.verify(file)
        exit_code = 0 if all(claim.held for claim in claims) else EXIT_NOT_MET
        return Answer(lambda: claims, lambda terminal: claims_text(claims, str(file)), exit_code)
    if against is None and data is None and not sensitivity:
        found: AuditRecord | Inspection = api.inspect(file)
    else:
        found = api.inspect(
            file, against, data, sensitivity=sensitivity, allow_unsafe=allow_unsafe, on_event=_show_progress
        )
    inspection = found if isinstance(found, Inspection) else None
    audit = found.audit if isinstance(found, Inspection) else found
    nodes = api.explore(file, inspection=inspection) if explorer else None
    page = None
    if html is not None:
        page = _write_page(html, file, inspection)

    def document() -> object:
        return found if nodes is None else {"inspection": found, "explorer": nodes}

    def text(terminal: Terminal) -> Iterable[str | RenderableType]:
        yield from audit_text(audit, str(file))
        if inspection is not None:
            yield from explanation_text(inspection.explanation, file.name)
        if page is not None:
            yield f"\npage  {page}"
        if nodes is not None:
            yield from explorer_text(nodes.files, nodes.command, nodes.installed)
            if not no_open and _may_open(terminal, nodes):
                yield "Model Explorer runs until Ctrl-C."
                subprocess.run(nodes.command, check=False)

    return Answer(document, text)


def _may_open(terminal: Terminal, nodes: ExplorerFiles) -> bool:
    """Whether somebody is there to see a browser: never in a pipe or in CI."""
    return nodes.installed and terminal.is_terminal and "CI" not in os.environ


def _show_progress(event: Event) -> None:
    if event["event"] == "sensitivity":
        click.echo(f"one layer at a time: {event['done']} of {event['total']}", err=True)


def _write_page(path: Path, file: Path, inspection: Inspection | None) -> Path:
    from tfopt.errors import UsageError
    from tfopt.report.files.html import write_page

    if inspection is None:
        raise UsageError("--html shows a comparison.", "Give --against and --data, too.", code="usage")
    try:
        return write_page(inspection.explanation, file.name, path)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}.", code="cannot_write") from error
