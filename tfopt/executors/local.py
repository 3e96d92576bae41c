"""Worker processes on this machine.

A worker stays for the whole sweep: importing TensorFlow takes longer than many a trial. It is started by its own
command, not by fork (TensorFlow's threads) nor spawn (which imports the caller's main module again).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from tfopt.catalog.own_code import child_environment
from tfopt.core.contracts.events import TrialEnded
from tfopt.executors.base import Job, Message
from tfopt.io.system.files import cannot_write
from tfopt.memory import available_memory

MEMORY_OF_A_TRIAL = 1_000_000_000
"""Bytes that must be free before another worker starts, until a trial has shown what it needs. A worker of the first
recipe peaks at 0.72 GB (measured); the processes that convert its files come on top."""

TRIALS_OF_A_WORKER = 20
"""Trials after which a worker is replaced: TensorFlow keeps something of every model, 28 MB per trial of the first
recipe (measured over 13 trials in one process)."""


class LocalExecutor:
    """Runs trials in up to `jobs` worker processes.

    Args:
        jobs: trials side by side.
        threads: threads of each.
        logs: folder for what the workers print.
        memory: returns the free memory in bytes, or None where that is unknown.

    Raises:
        StoreError: the log folder cannot be made.
    """

    def __init__(
        self, jobs: int, threads: int, logs: Path, memory: Callable[[], int | None] = available_memory
    ) -> None:
        self.jobs = jobs
        self.threads = threads
        self.logs = logs
        self.memory = memory
        self.need = MEMORY_OF_A_TRIAL
        self.messages: Queue[tuple[_Worker, Message | None]] = Queue()
        self.workers: list[_Worker] = []
        self.num_started = 0
        try:
            logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(logs, error) from error

    def has_room(self) -> bool:
        """An idle worker, or leave to start another; the first may always start."""
        if not self.workers or any(worker.trial is None for worker in self.workers):
            return True
        return len(self.workers) < self.jobs and self._has_memory()

    def start(self, job: Job) -> None:
        """Gives the job to an idle worker, or to a new one."""
        worker = next((worker for worker in self.workers if worker.trial is None), None)
        if worker is None:
            worker = _Worker(self.logs / f"worker-{os.getpid()}-{self.num_started}.log", self.threads, self.messages)
            self.workers.append(worker)
            self.num_started += 1
        worker.trial = job.trial
        worker.num_trials += 1
        worker.send(asdict(job))

    def stop(self, trial: str) -> None:
        """Asks the worker of a trial to stop it at its next event."""
        for worker in self.workers:
            if worker.trial == trial:
                worker.send({"stop": trial})

    def next_message(self, seconds: float) -> Message | None:
        """The next message of any worker; of one that died, that its trial failed."""
        try:
            worker, message = self.messages.get(timeout=seconds)
        except Empty:
            return None
        if message is None:
            return self._bury(worker)
        if message.event["event"] == "trial_ended":
            worker.trial = None
            self.need = max(self.need, message.event.get("memory") or 0)
            if worker.num_trials >= TRIALS_OF_A_WORKER:
                self.workers.remove(worker)
                worker.close()
        return message

    def close(self) -> None:
        """Ends all workers."""
        for worker in self.workers:
            worker.close()
        self.workers.clear()

    def _has_memory(self) -> bool:
        free = self.memory()
        return free is None or free >= self.need

    def _bury(self, worker: _Worker) -> Message | None:
        if worker not in self.workers:
            return None
        self.workers.remove(worker)
        cause = worker.close()
        if worker.trial is None:
            return None
        error = f"Its process died of {cause}. What it printed is in {worker.log}."
        return Message(worker.trial, TrialEnded("failed", error, code="process_crashed", not_of_recipe=True))


class _Worker:
    """A worker process and the thread that listens to it."""

    def __init__(self, log: Path, threads: int, messages: Queue[tuple[_Worker, Message | None]]) -> None:
        self.trial: str | None = None
        self.num_trials = 0
        self.log = log
        with log.open("ab") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tfopt.executors.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                text=True,
                encoding="utf-8",
                env=worker_environment(threads),
                # Ctrl-C in the terminal must reach the sweep alone: it stops its workers in order.
                start_new_session=True,
            )
        self.listener = Thread(target=self._listen, args=(messages,), daemon=True)
        self.listener.start()

    def _listen(self, messages: Queue[tuple[_Worker, Message | None]]) -> None:
        for line in self.process.stdout or ():
            answer = json.loads(line)
            messages.put((self, Message(answer["trial"], answer["event"])))
        messages.put((self, None))

    def send(self, message: dict[str, object]) -> None:
        """Writes a line to the worker; its listener reports if it has crashed."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps(message) + "\n")
                self.process.stdin.flush()

    def close(self) -> str:
        """Ends the worker; returns the cause if it had crashed before."""
        code = self.process.poll()
        if code is None and self.trial is not None:
            self.process.kill()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process.wait()
        self.listener.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return _cause(self.process.returncode)


def worker_environment(threads: int) -> dict[str, str]:
    """The variables of a worker: this process's import path, and its share of the processors."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return child_environment(dict.fromkeys(names, str(threads)))


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    return f"{name} (often: no memory left; try fewer --jobs)" if name == "SIGKILL" else name
