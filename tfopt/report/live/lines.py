"""Events of a run or a sweep as lines, one per finished stage, file or trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.contracts.events import Event

_LABELS = {"latency_ms": "latency"}
_SPREAD = ("latency_ms_p10", "latency_ms_p90")
_LEFT_TO_THE_REPORT = ("loss", "_drop", "cold_start_ms", "arena_bytes", "peak_memory")
"""Ends of the names of measures for which a line has no room."""


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
        """Shows the event, if it is one that gets a line."""
        match event["event"]:
            case "run_started":
                self.names = max(map(len, (*event["stages"], *event["exports"], "stage")))
                self.show(f"{event['recipe']}  {event['run']}")
            case "epoch":
                self.epochs[event["stage"]] = self.epochs.get(event["stage"], 0) + 1
            case "stage_finished":
                self.show(self._finished(event))
            case "export_finished" if not event["bytes"]:
                self.show(f"{event['export']:<{self.names}}  FAILED, there is no file")
            case "export_finished":
                held = "" if event["held"] else "  CLAIM BROKEN"
                size = formats.size(event["bytes"])
                # The report has them; here a line must fit eighty columns.
                measured = event["measures"].items()
                shown = {name: value for name, value in measured if not name.endswith(_LEFT_TO_THE_REPORT)}
                self.show(f"{event['export']:<{self.names}}  {size}  {metrics_text(shown)}{held}")
            case "waiting":
                self.show(f"{event['stage']:<{self.names}}  a different process is building it; waiting for its result")
            case "run_reused":
                self.show(f"Nothing has changed since run {event['run']}: here is its report (--fresh runs it again).")
            case "warning":
                self.show(f"warning: {event['message']}")

    def _finished(self, event: Event) -> str:
        num_epochs = self.epochs.get(event["stage"], 0)
        epochs = f"{counted(num_epochs, 'epoch')}  " if num_epochs else ""
        took = "from the store" if event["cached"] else formats.duration(event["seconds"])
        return f"{event['stage']:<{self.names}}  {epochs}{took}  {metrics_text(event['measures'])}"


class TrialLines:
    """Turns the events of a sweep into a line per finished trial.

    Args:
        show: receives each line.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self.show = show
        self.names = 0
        self.total = 0
        self.ended = 0
        self.metric = ""
        self.last: dict[str, str] = {}
        self.warned: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Shows the event, if it is one that gets a line."""
        match event["event"]:
            case "sweep_started":
                self.total, self.ended = len(event["trials"]), len(event["settled"])
                self.metric = event["metric"]
                self.names = max(map(len, event["trials"]), default=0)
                before = f", {self.ended} of them finished before" if self.ended else ""
                self.show(f"{event['recipe']}  sweep {event['sweep']}: {counted(self.total, 'trial')}{before}")
            case "stage_finished":
                self.last[event["trial"]] = metrics_text({n: v for n, v in event["measures"].items() if n != "loss"})
            case "run_reused":
                self.last[event["trial"]] = f"nothing has changed since run {event['run']}"
            case "export_finished" if event["measures"]:
                measures = dict(sorted(event["measures"].items(), key=lambda measure: measure[0] != self.metric))
                self.last[event["trial"]] = f"{event['export']}: {metrics_text(measures, 2)}"
            case "trial_repeated":
                name = f"{event['trial']:<{self.names}}"
                why = "" if event.get("code") == "node_lost" else ": its error need not come from its recipe"
                self.show(f"{name}  will run again{why}. {event['error']}")
            case "trial_finished":
                self.ended += 1
                outcome = self.last.get(event["trial"], "") if event["state"] == "done" else event["error"]
                self.show(f"[{self.ended}/{self.total}] {event['trial']:<{self.names}}  {event['state']}  {outcome}")
            case "warning" if event["message"] not in self.warned:
                # Trials of one recipe repeat the same warnings: once is enough.
                self.warned.add(event["message"])
                self.show(f"warning: {event['message']}")


def metrics_text(measures: Mapping[str, float], most: int | None = None) -> str:
    """Metrics in their units, the loss last: `accuracy 98.1%  sparsity 79.9%  loss 0.0746`."""
    names = [name for name in measures if name not in _SPREAD and not name.startswith("val_")]
    if "relative_error" in names and "agreement" in names:
        names.remove("agreement")  # for regression it is a difference, in the unit of the outputs
    names.sort(key=lambda name: name == "loss")
    return "  ".join(f"{_LABELS.get(name, name)} {formats.measure(name, measures[name])}" for name in names[:most])
