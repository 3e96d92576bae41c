"""`tfopt sweep`: many variants of a recipe, what they share trained once."""

from __future__ import annotations

import sys
from typing import Literal

import click

from tfopt.cli.cluster import asked_resources, cluster_options
from tfopt.cli.options import common
from tfopt.cli.run import recipe_options
from tfopt.cli.session import Answer, Session


@click.command(
    name="sweep",
    short_help="Run many variants of a recipe side by side.",
    epilog="""\b
Examples:
  tfopt sweep recipe.yaml                                       the recipe's own sweep: block
  tfopt sweep recipe.yaml --axis stages.prune.schedule.kind=polynomial,constant --seeds 3
  tfopt sweep recipe.yaml --axis stages.prune.schedule.final=50%..90%/5 --jobs 4
  tfopt sweep recipe.yaml --axis "stages.train.epochs=5,10 & stages.prune.epochs=10,5"
  tfopt sweep recipe.yaml --axis "stages.prune.schedule={kind: constant, final: 80%},{kind: polynomial, final: 90%}"
  RAY_ADDRESS=head:6379 tfopt sweep recipe.yaml --executor ray --gpus-per-trial 1 --retries 5

The same command resumes where it stopped: finished trials are not run again. Exit code 5 when a trial failed, 7 when a
claim is broken or a budget is not met.
""",
)
@recipe_options
@click.option(
    "--axis", "axes", multiple=True, metavar="PATH=VALUES",
    help="Values V1,V2 or FIRST..LAST/COUNT of a recipe path; may be repeated. Replaces the recipe's axes.",
)  # fmt: skip
@click.option("--seeds", metavar="N|LIST", help="How many seeds, counted up from the recipe's own, or which: 1,5,9.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="Trials at a time (default: one per processor, at most 8; with Ray, as many as its nodes have room for).",
)  # fmt: skip
@click.option("--max-trials", type=click.IntRange(min=1), metavar="N", help="Run only the first N trials.")
@click.option(
    "--stop-trials", type=click.Choice(["median"]),
    help="Stop a trial whose validation metric is worse than the median of the finished ones after the same epoch.",
)  # fmt: skip
@click.option("--prune-trials", "old_stop_trials", type=click.Choice(["median"]), hidden=True)
@click.option(
    "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Processes of this machine, or the Ray cluster of RAY_ADDRESS.",
)  # fmt: skip
@cluster_options
@common
@click.pass_obj
def command(
    session: Session,
    recipe: str,
    overrides: tuple[str, ...],
    out: str,
    store: str | None,
    axes: tuple[str, ...],
    seeds: str | None,
    jobs: int | None,
    max_trials: int | None,
    stop_trials: str | None,
    old_stop_trials: str | None,
    executor: Literal["local", "ray"],
    cpus_per_trial: int | None,
    gpus_per_trial: float | None,
    placement: Literal["pack", "spread"] | None,
    retries: int | None,
) -> Answer:
    """Run every combination of the axes of RECIPE with every seed, side by side.

    Trials are ordinary runs and share the store: a dense baseline that they have in common is trained once. Leaves
    saved_models/<recipe>/sweeps/<sweep>/sweep.json; tfopt compare <recipe> draws the table.
    """
    from tfopt import api
    from tfopt.cli.sweep_progress import sweep_progress
    from tfopt.report.comparison.text import sweep_text

    if old_stop_trials is not None:
        click.echo("--prune-trials is now --stop-trials: trials are stopped, weights are pruned.", err=True)
    loaded = api.load(recipe, overrides)
    try:
        with sweep_progress(sys.stderr, silent_in_pipe=session.json) as on_event:
            sweep = api.sweep(
                loaded,
                axes,
                seeds=seeds,
                max_trials=max_trials,
                jobs=jobs,
                stop_trials="median" in (stop_trials, old_stop_trials),
                executor=executor,
                resources=asked_resources(cpus_per_trial, gpus_per_trial, placement, retries),
                out=out,
                store=store,
                on_event=on_event,
            )
    except KeyboardInterrupt:
        click.echo("Finished trials and stages are kept: the same command resumes from there.", err=True)
        raise
    compared = api.compare(sweep.folder, out=out) if sweep.runs else None
    table = compared.table if compared else None
    return Answer(
        lambda: {"sweep": sweep.record, "folder": sweep.folder, "comparison": table},
        lambda terminal: sweep_text(sweep, table, terminal.width),
        sweep.exit_code,
    )
