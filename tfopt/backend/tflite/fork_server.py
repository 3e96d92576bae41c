"""A process that has its libraries imported, does nothing with them, and forks itself for each request.

A new interpreter needs 5 CPU seconds to import TensorFlow and half of one for the interpreter of `.tflite`; a fork
needs neither. A process that has used TensorFlow cannot be forked: its threads, which may hold locks, are missing in
the fork. This one has no such threads, because it only imports. A crash stays in the fork.

Linux only: on macOS a fork may not use the libraries of the system, and Windows has no fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import IO, TypedDict

from tfopt.catalog.own_code import child_environment

IS_AVAILABLE = sys.platform == "linux"
_EXIT_OF_A_BROKEN_SERVER = 1
_PR_SET_PDEATHSIG = 1


class _Job(TypedDict):
    """A request: one line of JSON."""

    arguments: list[str]
    errors: str
    environment: dict[str, str]
    folder: str
    path: list[str]


class ForkServer:
    """Carries out requests of `tfopt.backend.tflite.child_process` in forks of one process.

    Args:
        modules: what the process imports.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._process: subprocess.Popen[str] | None = None
        self._printed: IO[str] | None = None
        self._owner = 0
        self._lock = RLock()

    def start(self) -> None:
        """Starts the process, unless it runs; it imports while the caller goes on."""
        with self._lock:
            self._start()

    def _start(self) -> None:
        if self._owner == os.getpid() and self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._owner = os.getpid()
        self._printed = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in close
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tfopt.backend.tflite.fork_server", *self._modules],
            env=child_environment({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            # A group of its own: it and its forks are ended together, and Ctrl-C reaches the caller alone.
            start_new_session=True,
        )

    def run(
        self, module: str, arguments: tuple[str, str], environment: Mapping[str, str], seconds: float | None = None
    ) -> tuple[int | None, str]:
        """Calls `child_process.main` in a fork and waits for its end; the fork does not outlive this call.

        Args:
            module: of the function that the request calls; a module of tfopt is imported before the fork.
            arguments: of `child_process.main`: file of the request, file of the reply.
            environment: variables of the fork.
            seconds: after which it is stopped; None for never.

        Returns:
            Exit code as `subprocess` gives it, None where it was stopped after `seconds`; and stderr.
        """
        with self._lock, tempfile.TemporaryDirectory(prefix="tfopt-fork-") as folder:
            errors = Path(folder, "stderr")
            errors.touch()
            job = {
                "arguments": arguments,
                "module": module,
                "environment": dict(environment),
                "path": [path or os.getcwd() for path in sys.path],
                "folder": os.getcwd(),
                "errors": str(errors),
            }
            try:
                self.start()
                code = self._code(json.dumps(job), seconds)
            except BaseException:
                self.close()
                raise
            if code is None:
                self.close()
            printed = errors.read_text(encoding="utf-8", errors="replace")
            if self._process is not None and self._process.poll() is not None:
                printed += self._own_output()
            return code, printed

    def close(self) -> None:
        """Ends the process, and with it a fork that still runs; a fork of the caller only forgets it."""
        if self._owner != os.getpid():
            self._process = self._printed = None
        if self._process is not None:
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None
        if self._printed is not None:
            self._printed.close()
            self._printed = None

    def _code(self, job: str, seconds: float | None) -> int | None:
        """Exit code of the fork; that of the server where it ended itself; None after `seconds`."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the server was not started")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(job + "\n")
            process.stdin.flush()
        if not select.select([process.stdout], [], [], seconds)[0]:
            return None
        reply = process.stdout.readline()
        return int(reply) if reply else process.wait() or _EXIT_OF_A_BROKEN_SERVER

    def _own_output(self) -> str:
        if self._printed is None:
            return ""
        self._printed.seek(0)
        return self._printed.read()


def _fork(job: _Job) -> int:
    """Carries out a request in a fork and waits for it."""
    reading, writing = os.pipe()
    server, pid = os.getpid(), os.fork()
    if pid == 0:
        code = 1
        try:
            _end_with(server)
            _become_child(job)
            importlib.import_module("tfopt.backend.tflite.child_process").main(*job["arguments"])
            code = 0
        except BaseException:  # noqa: BLE001 - the fork ends here, whatever happened; what did goes to stderr
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as ended:  # at its end when the fork has ended
        # No request comes before the reply to the last one: only the end of the caller makes stdin readable.
        if ended not in select.select([ended, sys.stdin], [], [])[0]:
            os.killpg(0, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _end_with(server: int) -> None:
    """Lets a fork end when the server does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != server:
        os._exit(_EXIT_OF_A_BROKEN_SERVER)


def _become_child(job: _Job) -> None:
    """Takes over streams, environment, folder and import path, as a new interpreter would have them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(job["errors"], os.O_WRONLY | os.O_CREAT)
    for stream, target in enumerate((nothing, nothing, errors)):
        os.dup2(target, stream)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    sys.path[:] = job["path"]


def serve(*modules: str) -> None:
    """Imports modules, reads one request a line from stdin, and replies with the fork's exit code; ends with stdin."""
    # What a library prints goes to stderr: stdout has the replies only.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for module in modules:
        importlib.import_module(module)
    if "tensorflow" in modules:
        # Loaded when it is first asked for, which would be in every fork.
        sys.modules["tensorflow"].lite.TFLiteConverter  # noqa: B018
    for line in sys.stdin:
        job = json.loads(line)
        if job["module"].startswith("tfopt."):
            with contextlib.suppress(Exception):  # raised again in the fork, which reports it
                importlib.import_module(job["module"])
        sys.stdout.flush()  # or the fork would have it, too
        replies.write(f"{_fork(job)}\n")
        replies.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
