"""`tfopt plan`: what a run would do."""

from __future__ import annotations

import click

from tfopt.cli.options import common, no_trial
from tfopt.cli.run import recipe_options
from tfopt.cli.session import Answer


@click.command(
    name="plan",
    short_help="Show what a run would do, and every warning.",
    epilog="""\b
Examples:
  tfopt plan recipe.yaml
  tfopt plan recipe.yaml --set stages.prune.schedule.final=90%
  tfopt plan recipe.yaml --json
""",
)
@recipe_options
@no_trial
@common
def command(recipe: str, overrides: tuple[str, ...], out: str, store: str | None, trial: bool) -> Answer:
    """Show what a run of RECIPE would do, and every warning, before anything is trained.

    Stages with their keys (cached stages are taken from the store), the sparsity schedule, and what pruning and
    quantization can do with each layer.
    """
    from tfopt import api
    from tfopt.cli.documents import plan_document
    from tfopt.report.plan.text import plan_text

    plan = api.plan(api.load(recipe, overrides), out=out, store=store, trial=trial)
    return Answer(lambda: plan_document(plan), lambda terminal: plan_text(plan, terminal.width, terminal.unicode))
