"""Runs a function in a fresh child process, because converters and interpreters can abort the whole process.

Measured: the converter segfaults on a GRU with `int8` and on an LSTM with `hard_sigmoid`; LiteRT aborts on malformed
files. A fork would inherit TensorFlow's threads, so the child is a new interpreter. Arguments and results are JSON
(no pickle: a file of someone else must not become code); arrays travel as .npy files whose paths are arguments.
"""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfopt.atomic import replacing
from tfopt.catalog.own_code import child_environment
from tfopt.errors import ExportError

_TAIL = 12


class ProcessCrashed(ExportError):
    """The child process was killed by a signal or ended without a reply.

    Args:
        cause: what ended it, e.g. `SIGSEGV` or `exit code 3`.
        tail: the last lines it wrote to stderr.
    """

    def __init__(self, cause: str, tail: str) -> None:
        last = tail.strip().splitlines()
        super().__init__(
            f"the child process crashed with {cause}" + (f"; last line of stderr: {last[-1].strip()}" if last else ""),
            code="process_crashed",
        )
        self.cause = cause
        self.tail = tail


class ProcessFailed(ExportError):
    """The function raised in the child.

    Args:
        kinds: class names of the exception, its own first, then those it inherits from.
        message: its text.
        trace: the child's traceback, for `--debug`.
    """

    def __init__(self, kinds: Sequence[str], message: str, trace: str) -> None:
        super().__init__(f"{kinds[0]}: {message}", code="process_failed")
        self.kinds = tuple(kinds)
        self.reason = message
        self.trace = trace


def call(function: str, arguments: Mapping[str, Any]) -> Any:
    """Calls `module:function` with keyword arguments in a fresh process and waits for its result.

    Args:
        function: `package.module:function`, importable from this process.
        arguments: keyword arguments, JSON-able.

    Returns:
        The function's result as JSON gives it back.

    Raises:
        ProcessCrashed: killed by a signal, aborted, or ended without a reply.
        ProcessFailed: the function raised.
    """
    with tempfile.TemporaryDirectory(prefix="tfopt-child-") as folder:
        request, reply_file = Path(folder, "request.json"), Path(folder, "reply.json")
        request.write_text(json.dumps({"function": function, "arguments": dict(arguments)}), encoding="utf-8")
        returncode, errors = _run(
            [sys.executable, "-m", "tfopt.backend.tflite.child_process", str(request), str(reply_file)]
        )
        if returncode != 0 or not reply_file.exists():
            raise ProcessCrashed(_cause(returncode), "\n".join(errors.splitlines()[-_TAIL:]))
        reply = json.loads(reply_file.read_text(encoding="utf-8"))
    if "error" in reply:
        raise ProcessFailed(**reply["error"])
    return reply["result"]


def _run(command: list[str]) -> tuple[int, str]:
    """Exit code and stderr of a command; it does not outlive this call, whatever interrupts it."""
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
            _, errors = process.communicate()
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


def _reply(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Result of a call as JSON: the function's own, or the error as plain strings."""
    module, _, name = function.partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), name)(**arguments)}
    except Exception as error:  # noqa: BLE001 - the edge of a process: every error must cross it as a message
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return {"error": {"kinds": kinds, "message": str(error), "trace": traceback.format_exc()}}


def main(request: str, reply_file: str) -> None:
    """Runs in the child process: reads the request file, writes the reply file."""
    content = json.loads(Path(request).read_text(encoding="utf-8"))
    reply = _reply(content["function"], content["arguments"])
    with replacing(Path(reply_file)) as part:
        part.write_text(json.dumps(reply), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
