"""Child processes forked from one that has their libraries imported already: the tests start hundreds of them.

In the product each runs in a new interpreter: TensorFlow takes it 5 CPU seconds, the interpreter of `.tflite` half of
one. In the tests two servers, one with TensorFlow and one without, import those once per pytest worker
and run nothing with them, so no thread of them holds a lock; every request is a fork with the environment, folder and
import path of the caller. A crash stays in the fork, as in the product.
`tests/backend/tflite/test_child_process.py`, calls with a time limit, the session's `exported` models and all runs of
the command line in a process of its own still go through the new interpreter.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

import pytest

from tfopt.backend.tflite import child_process

CONVERT = "tfopt.backend.export.convert"
LIGHT = (
    *(f"tfopt.backend.tflite.{name}" for name in ("benchmark", "inner_tensors", "kernel_differences", "predict")),
    "tfopt.backend.bench.operator_times",
    "tfopt.backend.bundle.golden",
    "tfopt.backend.explain.rewritten_files",
)
"""Modules whose functions run `.tflite` files, without TensorFlow."""
Run = Callable[[list[str], float | None], tuple[int | None, str]]


class ForkServer:
    """Runs the child's side of `child_process` in forks; started at the first request.

    Args:
        modules: what its process imports.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def run(self, request: str, answer: str) -> tuple[int, str]:
        """Return code, as of `subprocess`, and stderr of a fork that carries out a request."""
        with self._lock, tempfile.TemporaryDirectory(prefix="tfopt-fork-") as folder:
            errors = Path(folder, "stderr")
            job = {
                "arguments": [request, answer],
                "environment": dict(os.environ),
                "path": [path for path in sys.path if path],
                "folder": os.getcwd(),
                "errors": str(errors),
            }
            process = self._started()
            try:
                process.stdin.write(json.dumps(job) + "\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                reply = process.stdout.readline()  # type: ignore[union-attr]
            except BaseException:
                self.close()
                raise
            return int(reply), errors.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Ends the server, and with it a fork that still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", *self._modules],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process


@contextlib.contextmanager
def forked_children() -> Iterator[None]:
    """Lets child processes of this process that convert and run `.tflite` files be forks."""
    converter, runner = ForkServer(CONVERT), ForkServer(*LIGHT)
    servers = {CONVERT: converter, **dict.fromkeys(LIGHT, runner)}
    new_interpreter: Run = child_process._run

    def run(command: list[str], seconds: float | None = None) -> tuple[int | None, str]:
        request, answer = command[-2:]
        server = servers.get(_module(Path(request)))
        return new_interpreter(command, seconds) if server is None or seconds else server.run(request, answer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_process, "_run", run)
        patch.setattr(child_process, "run_in_new_interpreter", new_interpreter, raising=False)
        yield
    converter.close()
    runner.close()


def _module(request: Path) -> str:
    """Where the function of a request is; empty for another command."""
    return json.loads(request.read_text())["function"].partition(":")[0] if request.name == "request.json" else ""


@contextlib.contextmanager
def new_interpreters() -> Iterator[None]:
    """Lets child processes start as in the product, whatever `forked_children` says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_process, "_run", getattr(child_process, "run_in_new_interpreter", child_process._run))
        yield


def _fork(job: dict) -> int:
    """Carries out a request in a fork and waits for it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _become_child(job)
            child_process.main(*job["arguments"])
            code = 0
        except Exception:  # noqa: BLE001 - the fork ends here, whatever happened; what did goes to stderr
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become_child(job: dict) -> None:
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
    """Imports modules, reads one request a line, and replies with the fork's return code."""
    for module in modules:
        importlib.import_module(module)
    if CONVERT in modules:
        import tensorflow as tf

        tf.lite.TFLiteConverter  # noqa: B018 - loads what it is made of
    else:
        from ai_edge_litert.interpreter import Interpreter  # noqa: F401 - the functions import it when they are called
    for line in sys.stdin:
        print(_fork(json.loads(line)), flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
