"""How one call of `tfopt` answers: what is printed where, once, at the edge."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType

UNBOUNDED = 1000
"""Columns of a pipe: one fact per line, so that grep finds whole facts. The variable COLUMNS overrides it."""


@dataclass(frozen=True)
class Terminal:
    """What the text is written to.

    Args:
        width: columns.
        unicode: whether block characters can be written.
        is_terminal: a person is looking.
    """

    width: int
    unicode: bool
    is_terminal: bool

    @classmethod
    def of(cls, stream: TextIO) -> Terminal:
        """What `stream` can show."""
        is_terminal = stream.isatty()
        bounded = is_terminal or "COLUMNS" in os.environ
        return cls(shutil.get_terminal_size().columns if bounded else UNBOUNDED, _can_write(stream, "█┤"), is_terminal)


def _can_write(stream: TextIO, characters: str) -> bool:
    try:
        characters.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


@dataclass
class Session:
    """What the options of this call say; the only state of the command line.

    Args:
        debug: show tracebacks.
        json: one JSON document on stdout, everything else on stderr.
        stdout: the real one; under `--json` whatever a verb or user code prints goes to stderr.
    """

    debug: bool = False
    json: bool = False
    stdout: TextIO = field(default_factory=lambda: sys.stdout)


@dataclass(frozen=True)
class Answer:
    """What a verb found, as data and as text; only the one that was asked for is made.

    Args:
        document: makes plain values, dataclasses or records for `--json`.
        text: makes lines or rich renderables for people.
        exit_code: what the process returns.
    """

    document: Callable[[], object]
    text: Callable[[Terminal], Iterable[str | RenderableType]]
    exit_code: int = 0


def write(answer: Answer, session: Session) -> None:
    """Prints an answer to stdout."""
    import click

    if isinstance(session.stdout, TextIOWrapper):
        session.stdout.reconfigure(errors="replace")  # an encoding without dashes must not stop a finished run's answer
    if session.json:
        from tfopt.cli.documents import json_text

        click.echo(json_text(answer.document()), file=session.stdout)
        return
    terminal = Terminal.of(session.stdout)
    console = None
    for part in answer.text(terminal):
        if isinstance(part, str):
            click.echo(part, file=session.stdout)
        else:
            if console is None:
                from rich.console import Console

                console = Console(file=session.stdout, width=terminal.width, highlight=False, markup=False, emoji=False)
            console.print(part)
