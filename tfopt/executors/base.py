"""The contract of executors: they accept jobs and return what happens in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tfopt.core.contracts.events import Event


@dataclass(frozen=True)
class Job:
    """One trial, as plain values that cross a process boundary.

    Args:
        trial: its name.
        function: `package.module:function`, called as
            `function(recipe, out=..., store=..., fresh=..., on_event=...)`.
        recipe: the recipe as plain values.
        folder: folder of the recipe's file, for code that is stored next to it.
        out: where runs and the store go.
        store: URL of a shared store.
        fresh: run every stage again.
    """

    trial: str
    function: str
    recipe: Mapping[str, object]
    folder: str
    out: str
    store: str | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Message:
    """Something that happened in a trial.

    Args:
        trial: its name.
        event: an event of its run, or its last: `trial_ended` with `state` (`done`, `failed`, `stopped`, `lost`),
            `error` and `not_of_recipe`.
    """

    trial: str
    event: Event


class Executor(Protocol):
    """Runs jobs side by side."""

    def has_room(self) -> bool:
        """Whether another job can be started now."""

    def start(self, job: Job) -> None:
        """Starts a job; only called when there is room."""

    def stop(self, trial: str) -> None:
        """Asks a job to stop; its `trial_ended` follows."""

    def next_message(self, seconds: float) -> Message | None:
        """Waits for the next message, at most so long; None when nothing came."""

    def close(self) -> None:
        """Ends everything at once. Jobs still running are killed; calling it twice does no harm."""
