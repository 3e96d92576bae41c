"""Progress of a sweep on stderr: one view of all trials in a terminal, otherwise a line per finished trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypedDict

import click

from tfopt.cli.progress import live_progress
from tfopt.report.live.lines import TrialLines, metrics_text

if TYPE_CHECKING:
    from typing import Unpack

    from rich.progress import Progress, TaskID

    from tfopt.core.contracts.events import Event


class _Shown(TypedDict, total=False):
    """What changes of a bar."""

    total: float | None
    completed: float
    figures: str


@contextmanager
def sweep_progress(stream: TextIO, *, silent_in_pipe: bool) -> Iterator[Callable[[Event], None] | None]:
    """Yields the function that shows events while the block runs.

    Args:
        stream: where to show them.
        silent_in_pipe: show nothing at all where `stream` is not a terminal.
    """
    if not stream.isatty():
        yield None if silent_in_pipe else TrialLines(lambda text: click.echo(text, file=stream))
        return
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    with live_progress(console) as live:
        yield LiveSweep(live)


class LiveSweep:
    """Shows a bar over all trials, and one for each that is running.

    Args:
        live: the bars.
    """

    def __init__(self, live: Progress) -> None:
        self.live = live
        self.lines = TrialLines(live.console.print)
        self.all: TaskID | None = None
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        self.lines(event)
        trial = event.get("trial")
        match event["event"]:
            case "sweep_started":
                self.all = self.live.add_task("trials", total=len(event["trials"]), epoch="", figures="")
                self.live.update(self.all, completed=len(event["settled"]), epoch=self._count())
            case "trial_started":
                self.tasks[event["trial"]] = self.live.add_task(
                    event["trial"], total=None, epoch="starting", figures=""
                )
            case "stage_started" if trial in self.tasks:
                self._show(trial, event["stage"], total=event["steps"] or None, completed=0)
            case "progress" if trial in self.tasks:
                shown = metrics_text(event["metrics"], 1)
                self._show(trial, event["stage"], total=event["steps"], completed=event["step"], figures=shown)
            case "export_started" if trial in self.tasks:
                self._show(trial, event["export"], total=None, figures="")
            case "trial_repeated":
                self.live.remove_task(self.tasks.pop(event["trial"]))
            case "trial_finished":
                self.live.remove_task(self.tasks.pop(event["trial"]))
                if self.all is not None:
                    self.live.update(self.all, completed=self.lines.ended, epoch=self._count())

    def _show(self, trial: str, doing: str, **fields: Unpack[_Shown]) -> None:
        self.live.update(self.tasks[trial], epoch=doing, **fields)

    def _count(self) -> str:
        return f"{self.lines.ended}/{self.lines.total}"
