"""The state of a run or a sweep, updated by its events. Needs no clock: each event comes with its time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfopt.report.live.lines import Lines, TrialLines, metrics_text

if TYPE_CHECKING:
    from tfopt.core.contracts.events import Event

_RUN = ""
"""Key of the bar of a run that belongs to no sweep."""


@dataclass(frozen=True)
class Bar:
    """One thing that runs.

    Args:
        name: the stage, the file, or the trial.
        doing: epoch and metrics, or the current action.
        done: completed fraction, between 0 and 1; None where it is not known.
        seconds_left: until it is done, at the pace so far; None where it is not known.
    """

    name: str
    doing: str
    done: float | None = None
    seconds_left: float | None = None


class LiveProgress:
    """Follows a run or a sweep.

    Attributes:
        lines: whatever is finished, one line each.
        overall: how far a sweep is; None for a run.
        bars: whatever is running.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.overall: Bar | None = None
        self._bars = {_RUN: Bar("starting", "loading TensorFlow, data and model")}
        self._lines = Lines(self.lines.append)
        self._trial_lines = TrialLines(self.lines.append)
        self._paced: dict[str, tuple[str, float, float]] = {}

    @property
    def bars(self) -> tuple[Bar, ...]:
        """Whatever is running: of a run one bar, of a sweep one per trial."""
        return tuple(self._bars.values())

    def update(self, event: Event, seconds: float) -> None:
        """Applies one event.

        Args:
            event: see `tfopt.core.contracts.events` and `tfopt.engine.sweep`.
            seconds: the time, from any start.
        """
        if "trial" in event or event["event"].startswith("sweep_"):
            self._update_sweep(event, seconds)
            return
        self._lines(event)
        self._move(_RUN, "", event, seconds)

    def _update_sweep(self, event: Event, seconds: float) -> None:
        self._trial_lines(event)
        trial = event.get("trial", "")
        match event["event"]:
            case "sweep_started":
                self._bars.clear()
            case "trial_started":
                self._bars[trial] = Bar(trial, "starting")
            case "trial_finished" | "trial_repeated":
                self._bars.pop(trial, None)
        if trial in self._bars:
            self._move(trial, f"{trial}: ", event, seconds)
        ended, total = self._trial_lines.ended, self._trial_lines.total
        over = event["event"] == "sweep_finished"
        self.overall = None if over else Bar("trials", f"{ended} of {total}", ended / total if total else None)

    def _move(self, key: str, prefix: str, event: Event, seconds: float) -> None:
        """Moves the bar of a run."""
        match event["event"]:
            case "stage_started" if not event["cached"]:
                self._bars[key] = Bar(f"{prefix}{event['stage']}", "")
            case "waiting":
                self._bars[key] = Bar(f"{prefix}{event['stage']}", "a different process is building it")
            case "progress":
                self._bars[key] = self._paced_bar(key, f"{prefix}{event['stage']}", event, seconds)
            case "export_started":
                self._bars[key] = Bar(f"{prefix}{event['export']}", "writing and proving")
            case "sensitivity":
                doing = f"one layer at a time, {event['done']} of {event['total']}"
                self._bars[key] = Bar(f"{prefix}{event['export']}", doing, event["done"] / event["total"])
            case "measuring":
                doing = f"{event['what']}, {event['done']} of {event['total']}"
                self._bars[key] = Bar(f"{prefix}{event['stage']}", doing, event["done"] / max(event["total"], 1))
            case "stage_finished" | "export_finished":
                self._bars[key] = replace(self._bars[key], doing="", done=1.0, seconds_left=None)
            case "run_finished" | "run_reused":
                self._bars.pop(key, None)

    def _paced_bar(self, key: str, name: str, event: Event, seconds: float) -> Bar:
        done = event["step"] / event["steps"] if event["steps"] else None
        if done is None:
            return Bar(name, self._doing(event))
        # The pace counts from the first event: the first step traces, and a resumed stage does not begin at 0.
        known, first_done, since = self._paced.get(key, ("", 0.0, 0.0))
        if known != name:
            self._paced[key] = (name, done, seconds)
            return Bar(name, self._doing(event), done)
        since_first = done - first_done
        left = (seconds - since) * (1 - done) / since_first if since_first > 0 else None
        return Bar(name, self._doing(event), done, left)

    @staticmethod
    def _doing(event: Event) -> str:
        sparsity = {"sparsity": event["sparsity"]} if "sparsity" in event else {}
        return f"epoch {event['epoch']}/{event['epochs']}  {metrics_text({**sparsity, **event['metrics']}, 3)}"
