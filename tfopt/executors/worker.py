"""One trial after the other in a process of its own: `python -m tfopt.executors.worker`.

Jobs come as JSON lines on stdin, messages go as JSON lines to what was stdout; whatever TensorFlow or a user's code
prints goes to stderr. When stdin ends, because the sweep is over or its process was killed, the worker ends too.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from queue import Queue
from threading import Lock, Thread
from typing import Any, TextIO

from tfopt.catalog.catalog import catalog
from tfopt.catalog.entries import read_built_in
from tfopt.core.contracts.events import Emit, Event, TrialEnded, plain
from tfopt.core.recipe.recipe import Origin, build_recipe
from tfopt.core.sweeps.causes import need_not_come_from_recipe
from tfopt.errors import TfoptError
from tfopt.memory import peak_memory

Send = Emit


class Stopped(KeyboardInterrupt):
    """The sweep stops this trial: ends the run as Ctrl-C does."""


def carry_out(job: Mapping[str, Any], send: Send, is_stopped: Callable[[], bool]) -> None:
    """Runs one job and sends its events; the last is `trial_ended`, whatever happens.

    Args:
        job: the fields of `tfopt.executors.base.Job`.
        send: receives the events.
        is_stopped: called at every event; True stops the run.
    """

    def on_event(event: Event) -> None:
        send(plain(event))
        if is_stopped():
            raise Stopped

    state, error, code, foreign, exit_code = "done", None, None, None, None
    try:
        module, _, name = job["function"].partition(":")
        found = catalog()
        recipe = build_recipe(job["recipe"], found).coming_from(Origin(found, job["folder"]))
        function = getattr(importlib.import_module(module), name)
        function(recipe, out=job["out"], store=job["store"], fresh=job["fresh"], on_event=on_event)
    except KeyboardInterrupt:
        state = "stopped"
    except TfoptError as caught:
        state, error, code = "failed", str(caught), caught.code
        foreign, exit_code = need_not_come_from_recipe(caught), caught.exit_code
    except Exception as caught:  # noqa: BLE001 the edge of a process: every error must cross it as a message
        traceback.print_exc()
        state, error, code = "failed", f"{type(caught).__name__}: {caught}", "internal_error"
        foreign = need_not_come_from_recipe(caught)
    send(plain(TrialEnded(state, error, peak_memory(), code, foreign, exit_code)))


class _Inbox:
    """Reads stdin in a thread, so that a trial can be stopped while it runs."""

    def __init__(self, stream: TextIO) -> None:
        self.jobs: Queue[dict[str, Any] | None] = Queue()
        self.stopped: set[str] = set()
        self.ended = False
        Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: TextIO) -> None:
        for line in stream:
            message = json.loads(line)
            if "stop" in message:
                self.stopped.add(message["stop"])
            else:
                self.stopped.discard(message["trial"])
                self.jobs.put(message)
        self.ended = True
        self.jobs.put(None)


def main() -> None:
    """Works until stdin ends."""
    read_built_in()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    inbox, writing = _Inbox(sys.stdin), Lock()
    while (job := inbox.jobs.get()) is not None:
        trial = job["trial"]

        def send(event: Event, trial: str = trial) -> None:
            with writing:
                channel.write(json.dumps({"trial": trial, "event": event}, default=float) + "\n")

        carry_out(job, send, lambda trial=trial: inbox.ended or trial in inbox.stopped)  # type: ignore[misc]  # a default binds it now


if __name__ == "__main__":
    main()
