"""`tfopt ls`: what a recipe can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer

if TYPE_CHECKING:
    from tfopt.api import Kind

KINDS = ("models", "datasets", "stages", "schedules", "exports", "criteria", "targets", "recipes")


@click.command(
    name="ls",
    epilog="""\b
Examples:
  tfopt ls                    everything
  tfopt ls models             model names for `model: {source: ...}`
  tfopt ls stages --json      stages with their arguments, for tools
""",
)
@click.argument("kind", type=click.Choice(KINDS), required=False)
@common
def command(kind: Kind | None) -> Answer:
    """List what can be named in a recipe.

    KIND is one of models, datasets, stages, schedules, exports, criteria,
    targets, recipes; without it, all are listed. Recipes are those
    of the folder recipes/ below the current one.
    """
    from tfopt import api
    from tfopt.report.files.text import listing_lines

    found = api.list_names(kind)
    return Answer(lambda: found, lambda terminal: listing_lines(found, terminal.width))
