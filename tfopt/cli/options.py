"""Options that every verb has."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from tfopt.cli.session import Session

Command = TypeVar("Command", bound=Callable[..., object])


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).debug = True


def _json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    session = context.ensure_object(Session)
    if value and not session.json:
        session.json = True
        # A recipe may run code of its user, and that code may print: stdout belongs to the document alone.
        context.with_resource(contextlib.redirect_stdout(sys.stderr))


debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_debug,
    help="Show tracebacks of errors (before or after the verb).",
)
as_json = click.option(
    "--json", is_flag=True, expose_value=False, callback=_json, help="One JSON document on stdout, all else on stderr."
)


def common(command: Command) -> Command:
    """Adds `--json` and `--debug` to a verb."""
    return as_json(debug(command))


no_trial = click.option(
    "--no-trial",
    "trial",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not ask the converter which operators the model becomes: quicker for large models.",
)
"""Adds `--no-trial` to a verb."""
