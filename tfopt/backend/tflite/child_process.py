"""Runs a function in a fresh child process, because converters and interpreters can abort the whole process.

Measured: the converter segfaults on a GRU with `int8` and on an LSTM with `hard_sigmoid`; LiteRT aborts on malformed
files. A fork of this process would inherit TensorFlow's threads, so the child is a fork of a process that has only
imported the libraries (`tfopt.backend.tflite.fork_server`) or, where there is no such thing, a new interpreter.
Arguments and results are JSON (no pickle: a file of someone else must not become code); arrays travel as .npy files
whose paths are arguments.
"""

from __future__ import annotations

import atexit
import importlib
import json
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tfopt.atomic import replacing
from tfopt.backend.tflite import limits as limiting
from tfopt.backend.tflite.fork_server import IS_AVAILABLE, ForkServer
from tfopt.backend.tflite.limits import NO_LIMITS, Limits
from tfopt.catalog.own_code import child_environment
from tfopt.errors import ExportError, TfoptError

_TAIL = 12

Libraries = Literal["litert", "tensorflow"]
"""What the function of a child process uses: a process that has it imported already is forked."""

_FORK_SERVERS: Mapping[Libraries, ForkServer] = {
    "litert": ForkServer("numpy", "ai_edge_litert.interpreter", "tfopt.backend.tflite.child_process"),
    "tensorflow": ForkServer("tensorflow", "tfopt.backend.tflite.child_process"),
}
"""One process each, started when it is first needed, that stays as long as this one: it serves all runs of a sweep."""
for _server in _FORK_SERVERS.values():
    atexit.register(_server.close)


class ProcessCrashed(ExportError):
    """The child process was killed by a signal or ended without a reply.

    Args:
        cause: what ended it, e.g. `SIGSEGV` or `exit code 3`.
        tail: the last lines it wrote to stderr.
        doing: what it did at that time (`tfopt.backend.tflite.limits.doing`); empty where it did not say.
    """

    def __init__(self, cause: str, tail: str, doing: str = "") -> None:
        last = tail.strip().splitlines()
        self.cause = cause
        self.tail = tail
        self.doing = doing
        super().__init__(
            f"{self.sentence}" + (f"; last line of stderr: {last[-1].strip()}" if last else ""), code="process_crashed"
        )

    @property
    def sentence(self) -> str:
        """How it ended."""
        return f"the child process crashed with {self.cause}" + (f" while it {self.doing}" if self.doing else "")


class ProcessTimedOut(ProcessCrashed):
    """The child process did not end in time, and was stopped."""

    @property
    def sentence(self) -> str:
        """How it ended."""
        return f"the child process was stopped after {self.cause}" + (f" while it {self.doing}" if self.doing else "")


class ProcessFailed(ExportError):
    """The function raised in the child.

    Args:
        kinds: class names of the exception, its own first, then those it inherits from.
        message: its text.
        trace: the child's traceback, for `--debug`.
        own_code: the code of an error of tfopt; empty for all others.
    """

    def __init__(self, kinds: Sequence[str], message: str, trace: str, own_code: str = "") -> None:
        super().__init__(f"{kinds[0]}: {message}", code="process_failed")
        self.own_code = own_code
        self.kinds = tuple(kinds)
        self.reason = message
        self.trace = trace


def import_early(libraries: Libraries) -> None:
    """Starts the process that children are forked from, so that it imports its libraries in the meantime."""
    if IS_AVAILABLE:
        _FORK_SERVERS[libraries].start()


def call(
    function: str, arguments: Mapping[str, Any], limits: Limits = NO_LIMITS, libraries: Libraries = "litert"
) -> Any:
    """Calls `module:function` with keyword arguments in a fresh process and waits for its result.

    Args:
        function: `package.module:function`, importable from this process.
        arguments: keyword arguments, JSON-able.
        limits: of time and memory.
        libraries: what the function uses.

    Returns:
        The function's result as JSON gives it back.

    Raises:
        ProcessTimedOut: it took longer than `limits.seconds`.
        ProcessCrashed: killed by a signal, aborted, or ended without a reply.
        ProcessFailed: the function raised.
    """
    with tempfile.TemporaryDirectory(prefix="tfopt-child-") as folder:
        request, reply_file, note = (Path(folder, name) for name in ("request.json", "reply.json", "doing.txt"))
        content = {
            "function": function,
            "arguments": dict(arguments),
            "memory": limits.memory,
            "note": str(note),
        }
        request.write_text(json.dumps(content), encoding="utf-8")
        files = (str(request), str(reply_file))
        if IS_AVAILABLE:
            module = function.partition(":")[0]
            server = _FORK_SERVERS[libraries]
            returncode, errors = server.run(module, files, child_environment({}), limits.seconds)
        else:
            returncode, errors = _run(
                [sys.executable, "-m", "tfopt.backend.tflite.child_process", *files], limits.seconds
            )
        tail = "\n".join(errors.splitlines()[-_TAIL:])
        doing = note.read_text(encoding="utf-8") if note.exists() else ""
        if returncode is None or returncode == -signal.SIGALRM:
            raise ProcessTimedOut("its time limit" if returncode else f"{limits.seconds or 0:.0f} seconds", tail, doing)
        if returncode != 0 or not reply_file.exists():
            raise ProcessCrashed(_cause(returncode), tail, doing)
        reply = json.loads(reply_file.read_text(encoding="utf-8"))
    if "error" in reply:
        raise ProcessFailed(**reply["error"])
    return reply["result"]


def _run(command: list[str], seconds: float | None = None) -> tuple[int | None, str]:
    """Exit code and stderr of a command; it does not outlive this call, whatever interrupts it.

    Returns:
        None as exit code of a command that was stopped after `seconds`.
    """
    with subprocess.Popen(
        command,
        env=child_environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None, process.communicate()[1]
        finally:
            if process.poll() is None:
                process.kill()
    return process.returncode, errors


def _cause(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode} without a reply"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


def _reply(function: str, arguments: dict[str, object], memory: int | None) -> dict[str, object]:
    """Result of a call as JSON: the function's own, or the error as plain strings."""
    module, _, name = function.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
        limiting.limit_memory(memory)
        return {"result": found(**arguments)}
    except Exception as error:  # noqa: BLE001 - the edge of a process: every error must cross it as a message
        kinds = [kind.__name__ for kind in type(error).__mro__]
        code = error.code if isinstance(error, TfoptError) else ""
        trace = traceback.format_exc()
        return {"error": {"kinds": kinds, "message": str(error), "trace": trace, "own_code": code}}


def main(request: str, reply_file: str) -> None:
    """Runs in the child process: reads the request file, writes the reply file."""
    content = json.loads(Path(request).read_text(encoding="utf-8"))
    limiting.note_in(Path(content["note"]))
    reply = _reply(content["function"], content["arguments"], content["memory"])
    with replacing(Path(reply_file)) as part:
        part.write_text(json.dumps(reply), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
