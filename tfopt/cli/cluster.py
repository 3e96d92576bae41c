"""Options of `run` and `sweep` about a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

import click

if TYPE_CHECKING:
    from tfopt.core.contracts.resources import Resources

Command = TypeVar("Command", bound=Callable[..., object])


def cluster_options(command: Command) -> Command:
    """`--cpus-per-trial`, `--gpus-per-trial`, `--placement` and `--retries`, the same for `run` and `sweep`."""
    for option in (
        click.option(
            "--retries",
            type=click.IntRange(min=0),
            metavar="N",
            help="Ray: how often a trial starts again because its node was lost (default: 3).",
        ),
        click.option(
            "--placement",
            type=click.Choice(["pack", "spread"]),
            help="Ray: its own rule, which fills nodes up to half first (default), or spread over nodes.",
        ),
        click.option("--gpus-per-trial", type=float, metavar="N", help="Ray: GPUs of each trial; 0.5 shares one."),
        click.option(
            "--cpus-per-trial",
            type=click.IntRange(min=1),
            metavar="N",
            help="Ray: processors of each trial (default: an equal share).",
        ),
    ):
        command = option(command)
    return command


def asked_resources(
    cpus: int | None, gpus: float | None, placement: Literal["pack", "spread"] | None, retries: int | None
) -> Resources | None:
    """What was asked for, or None where no option was given.

    Raises:
        UsageError: a value makes no sense.
    """
    if cpus is None and gpus is None and placement is None and retries is None:
        return None
    from tfopt.core.contracts.resources import DEFAULT_RESOURCES as default
    from tfopt.core.contracts.resources import Resources

    return Resources(
        cpus,
        default.gpus if gpus is None else gpus,
        default.placement if placement is None else placement,
        default.retries if retries is None else retries,
    )
