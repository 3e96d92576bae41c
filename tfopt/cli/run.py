"""`tfopt run`: the main job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Literal, TypeVar

import click

from tfopt.cli.cluster import asked_resources, cluster_options
from tfopt.cli.options import common
from tfopt.cli.session import Answer, Session

Command = TypeVar("Command", bound=Callable[..., object])


def recipe_options(command: Command) -> Command:
    """RECIPE, `--set`, `--out` and `--store`, the same for `plan`, `run` and `sweep`."""
    for option in (
        click.option(
            "--store",
            metavar="URL",
            envvar="TFOPT_STORE",
            show_envvar=True,
            help="A store shared through fsspec, e.g. s3://bucket/folder: the one in --out becomes its cache.",
        ),
        click.option(
            "--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of runs and the store."
        ),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="PATH=VALUE",
            help="Replace a value of the recipe, e.g. stages.prune.epochs=3; may be repeated.",
        ),
        click.argument("recipe"),
    ):
        command = option(command)
    return command


@click.command(
    name="run",
    short_help="Train, optimize, export, prove, report.",
    epilog="""\b
Examples:
  tfopt run recipe.yaml
  tfopt run recipe.yaml --set stages.prune.schedule.final=90% --set seed=3
  tfopt run recipe.yaml --out /data/runs --fresh
  tfopt run recipe.yaml --store s3://bucket/tfopt   stages that a different machine has run are fetched
  RAY_ADDRESS=head:6379 tfopt run recipe.yaml --executor ray --gpus-per-trial 1
  tfopt run recipe.yaml --json > report.json     for CI; the exit code is the verdict

Exit code 7 when a claim is broken or a budget is not met. A run that was interrupted resumes from its last
checkpoint when it is started again.
""",
)
@recipe_options
@click.option(
    "--fresh",
    is_flag=True,
    help="Run every stage again instead of taking finished ones from the store; also replaces them in --store.",
)
@click.option(
    "--executor", type=click.Choice(["here", "ray"]), default="here", show_default=True,
    help="This process, or a node of the Ray cluster of RAY_ADDRESS.",
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
    fresh: bool,
    executor: Literal["here", "ray"],
    cpus_per_trial: int | None,
    gpus_per_trial: float | None,
    placement: Literal["pack", "spread"] | None,
    retries: int | None,
) -> Answer:
    """Carry out RECIPE: train, optimize, export, prove, report.

    Leaves report.json, report.html, the figures and the files in saved_models/<recipe>/<run>/. With --json, stdout is
    exactly the report.
    """
    from tfopt import api
    from tfopt.cli.progress import progress
    from tfopt.report.run.text import run_text

    loaded = api.load(recipe, overrides)
    try:
        with progress(sys.stderr, silent_in_pipe=session.json) as on_event:
            run = api.run(
                loaded,
                out=out,
                store=store,
                fresh=fresh,
                executor=executor,
                resources=asked_resources(cpus_per_trial, gpus_per_trial, placement, retries),
                on_event=on_event,
            )
    except KeyboardInterrupt:
        click.echo("Finished stages are kept: the same command resumes from there.", err=True)
        raise
    return Answer(
        lambda: run.report,
        lambda terminal: run_text(run.report, run.folder, terminal.width),
        run.exit_code,
    )
