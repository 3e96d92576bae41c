"""`tfopt schema`: JSON Schema for editors and tools."""

from __future__ import annotations

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer


@click.command(
    name="schema",
    short_help="Print the JSON Schema of recipes.",
    epilog="""\b
Examples:
  tfopt schema > tfopt.schema.json
  tfopt schema --report > report.schema.json

\b
In an editor with a YAML language server, put this on a recipe's first line:
  # yaml-language-server: $schema=tfopt.schema.json
""",
)
@click.option("--report", is_flag=True, help="The schema of report.json instead of that of recipes.")
@common
def command(report: bool) -> Answer:
    """Print the JSON Schema of recipes, for completion and checks in editors."""
    from tfopt import api
    from tfopt.cli.documents import json_text

    document = api.schema("report" if report else "recipe")
    return Answer(lambda: document, lambda terminal: (json_text(document),))
