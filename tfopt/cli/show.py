"""`tfopt show`: the report of a run."""

from __future__ import annotations

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer


@click.command(
    name="show",
    epilog="""\b
Examples:
  tfopt show digits-prune-qat                          the latest run of that recipe
  tfopt show digits-prune-qat/20260727-141503-5f2c     that run
  tfopt show path/to/run --json                        its report.json
""",
)
@click.argument("run")
@click.option("--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of the runs.")
@common
def command(run: str, out: str) -> Answer:
    """Show the report of a run.

    RUN is a run folder, or the name of a recipe, or <recipe>/<run>, below DIR.
    """
    from tfopt import api
    from tfopt.report.run.text import show_text

    found = api.show(run, out)
    return Answer(lambda: found.report, lambda terminal: show_text(found.report, found.folder, terminal.width))
