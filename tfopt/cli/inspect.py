"""`tfopt inspect`: what a file really contains."""

from __future__ import annotations

from pathlib import Path

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer
from tfopt.errors import EXIT_NOT_MET


@click.command(
    name="inspect",
    short_help="Show what a file really contains.",
    epilog="""\b
Examples:
  tfopt inspect model.tflite
  tfopt inspect model.tflite --json
  tfopt inspect model.keras
  tfopt inspect bundle/
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@common
def command(file: Path) -> Answer:
    """Show what FILE (.tflite, .keras, .h5, a SavedModel or a bundle) really contains.

    Types, sparsity, unique values and quantization of every weight, operators, and which of them still compute in
    float: read from the file, whatever its name claims. The files of a bundle are compared with its manifest and run on
    its golden inputs.
    """
    from tfopt import api
    from tfopt.report.files.claims import claims_text
    from tfopt.report.files.text import audit_text

    if (file / "manifest.json").is_file():
        claims = api.verify(file)
        exit_code = 0 if all(claim.held for claim in claims) else EXIT_NOT_MET
        return Answer(lambda: claims, lambda terminal: claims_text(claims, str(file)), exit_code)
    audit = api.inspect(file)
    return Answer(lambda: audit, lambda terminal: audit_text(audit, str(file)))
