"""Progress of a run on stderr: live in a terminal, otherwise one line per finished stage and file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from tfopt.report.live.lines import Lines, metrics_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from tfopt.core.contracts.events import Event


@contextmanager
def progress(stream: TextIO, *, silent_in_pipe: bool) -> Iterator[Callable[[Event], None] | None]:
    """Yields the function that shows events while the block runs.

    Args:
        stream: where to show them.
        silent_in_pipe: show nothing at all where `stream` is not a terminal.
    """
    if not stream.isatty():
        yield None if silent_in_pipe else Lines(lambda text: click.echo(text, file=stream))
        return
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    with live_progress(console) as live:
        shown = Live(live)
        shown.begin("starting", None, "loading TensorFlow, data and model")
        yield shown


def live_progress(console: Console) -> Progress:
    """A bar with the stage, the epoch, metrics and the time left."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(bar_width=16 if console.width < 100 else 30),
        TextColumn("{task.fields[epoch]}", markup=False),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        refresh_per_second=5,
    )


class Live:
    """Shows events as a bar per running stage, and a line for whatever is finished.

    Args:
        live: the bars.
    """

    def __init__(self, live: Progress) -> None:
        self.live = live
        self.lines = Lines(live.console.print)
        self.task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        self.lines(event)
        match event["event"]:
            case "stage_started":
                if not event["cached"]:
                    self.begin(event["stage"], event["steps"] or None, "")
            case "progress":
                self._advance(event)
            case "export_started":
                self.begin(event["export"], None, "writing and proving")
            case "run_started" | "stage_finished" | "export_finished" | "run_finished" | "run_reused":
                self._end()

    def begin(self, name: str, steps: int | None, doing: str) -> None:
        """Shows a new bar instead of the last one.

        Args:
            name: what runs.
            steps: length of the bar; None where nobody knows.
            doing: what is being done, where there is no epoch to show.
        """
        self._end()
        self.task = self.live.add_task(name, total=steps, epoch=doing, figures="")

    def _advance(self, event: Event) -> None:
        if self.task is None:
            self.begin(event["stage"], event["steps"], "")
        if self.task is not None:
            sparsity = {"sparsity": event["sparsity"]} if "sparsity" in event else {}
            shown = metrics_text({**sparsity, **event["metrics"]}, 2 if self.live.console.width < 100 else 4)
            self.live.update(
                self.task,
                completed=event["step"],
                total=event["steps"],
                epoch=f"epoch {event['epoch']}/{event['epochs']}",
                figures=shown,
            )

    def _end(self) -> None:
        if self.task is not None:
            self.live.remove_task(self.task)
            self.task = None
