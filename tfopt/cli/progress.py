"""Progress of a run on stderr: live where a person looks, one line per finished stage and file elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from tfopt.report import formats

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from tfopt.core.events import Event

_LABELS = {"latency_ms": "latency"}
_SPREAD = ("latency_ms_p10", "latency_ms_p90")


@contextmanager
def progress(stream: TextIO, *, silent_in_pipe: bool) -> Iterator[Callable[[Event], None] | None]:
    """Gives the function that shows events while the block runs.

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


class Lines:
    """Turns events into finished lines.

    Args:
        show: receives each line.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self.show = show
        self.epochs: dict[str, int] = {}
        self.names = 8

    def __call__(self, event: Event) -> None:
        """Shows what is worth a line of its own."""
        match event["event"]:
            case "run_started":
                self.names = max(map(len, (*event["stages"], *event["exports"], "stage")))
                self.show(f"{event['recipe']}  {event['run']}")
            case "epoch":
                self.epochs[event["stage"]] = self.epochs.get(event["stage"], 0) + 1
            case "stage_finished":
                self.show(self._finished(event))
            case "export_finished":
                held = "" if event["held"] else "  CLAIM BROKEN"
                size = formats.size(event["bytes"])
                # The table at the end has loss and drop too; here a line must fit eighty columns.
                told = {
                    name: value for name, value in event["measures"].items() if not name.endswith(("loss", "_drop"))
                }
                self.show(f"{event['export']:<{self.names}}  {size}  {figures(told)}{held}")
            case "waiting":
                self.show(f"{event['stage']:<{self.names}}  another process is building it; waiting for its result")
            case "run_reused":
                self.show(f"Nothing has changed since run {event['run']}: here is its report (--fresh runs it again).")
            case "warning":
                self.show(f"warning: {event['message']}")

    def _finished(self, event: Event) -> str:
        num_epochs = self.epochs.get(event["stage"], 0)
        epochs = f"{num_epochs} epoch{'' if num_epochs == 1 else 's'}  " if num_epochs else ""
        took = "from the store" if event["cached"] else formats.duration(event["seconds"])
        return f"{event['stage']:<{self.names}}  {epochs}{took}  {figures(event['measures'])}"


def figures(measures: Mapping[str, float], most: int | None = None) -> str:
    """Measures as a person reads them, the loss last: `accuracy 98.1%  sparsity 79.9%  loss 0.0746`."""
    names = [name for name in measures if name not in _SPREAD and not name.startswith("val_")]
    names.sort(key=lambda name: name == "loss")
    metric = next((name for name in names if name not in ("agreement", "sparsity")), "accuracy")
    return "  ".join(
        f"{_LABELS.get(name, name)} {formats.measure(name, measures[name], metric)}" for name in names[:most]
    )


def live_progress(console: Console) -> Progress:
    """A bar with the stage, the epoch, figures and the time left."""
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

    def _advance(self, event: Mapping[str, Any]) -> None:
        if self.task is None:
            self.begin(event["stage"], event["steps"], "")
        if self.task is not None:
            sparsity = {"sparsity": event["sparsity"]} if "sparsity" in event else {}
            shown = figures({**sparsity, **event["metrics"]}, 2 if self.live.console.width < 100 else 4)
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
