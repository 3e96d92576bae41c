"""`tfopt inspect`: what a file really contains."""

from __future__ import annotations

from pathlib import Path

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer


@click.command(
    name="inspect",
    short_help="Show what a file really contains.",
    epilog="""\b
Examples:
  tfopt inspect model.tflite
  tfopt inspect model.tflite --json
  tfopt inspect model.keras
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@common
def command(file: Path) -> Answer:
    """Show what FILE (.tflite, .keras, .h5 or a SavedModel) really contains.

    Types, sparsity, unique values and quantization of every weight, operators, and which of them still compute in
    float: read from the file, whatever its name claims.
    """
    from tfopt import api
    from tfopt.report.files.text import audit_text

    audit = api.inspect(file)
    return Answer(lambda: audit, lambda terminal: audit_text(audit, str(file)))
