"""Keras 3 files are read back in forks of one process with plain Keras: a new one needs 8 CPU seconds to import it.

`tests/backend/models/files/test_keras_3_files.py` has the new process of the product.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfopt.backend.tflite import child_process
from tfopt.backend.tflite.fork_server import ForkServer

_SERVER = ForkServer("keras", "numpy", "tfopt.backend.tflite.child_process")
atexit.register(_SERVER.close)


def _run(command: Sequence[str], *, cwd: str, env: Mapping[str, str], **_: Any) -> SimpleNamespace:
    """Stands in for `subprocess.run` of `python -c script argument...`."""
    request, reply = Path(cwd, "fork.json"), Path(cwd, "forked.json")
    arguments = {"script": command[2], "files": command[3:], "folder": cwd}
    content = {"function": f"{__name__}:execute", "arguments": arguments, "memory": None, "note": f"{cwd}/note"}
    request.write_text(json.dumps(content), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_USE_LEGACY_KERAS", "0")  # TensorFlow would import tf_keras
        _SERVER.start()
    code, errors = _SERVER.run(__name__, (str(request), str(reply)), env)
    if code == 0:
        error = json.loads(reply.read_text(encoding="utf-8")).get("error")
        code, errors = (1, error["trace"]) if error else (0, errors)
    return SimpleNamespace(returncode=code, stderr=errors)


def execute(script: str, files: Sequence[str], folder: str) -> None:
    """In the fork: runs the script as a new interpreter would, without the modules that made the fork."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tfopt", "tests")]:
        del sys.modules[name]
    os.chdir(folder)
    sys.argv = ["-c", *files]
    exec(compile(script, "-c", "exec"), {"__name__": "__main__"})


def run_plain_keras(script: str, folder: Path) -> None:
    """Runs a script as in a new process with Keras 3 alone.

    Raises:
        AssertionError: it failed; with what it printed.
    """
    ended = _run([sys.executable, "-c", script], cwd=str(folder), env={"HOME": str(folder)})
    assert ended.returncode == 0, ended.stderr


def run_plain_tensorflow(script: str, folder: Path) -> None:
    """Runs a script as in a new process with TensorFlow alone."""
    arguments = {"script": script, "files": [], "folder": str(folder)}
    child_process.call(f"{__name__}:execute", arguments, libraries="tensorflow")


@contextmanager
def forks() -> Iterator[None]:
    """Lets exports read their files back in forks."""
    from tfopt.backend.export.keras_files import read_back

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_back, "subprocess", SimpleNamespace(run=_run))
        yield


@pytest.fixture(scope="package", autouse=True)
def plain_keras_in_forks() -> Iterator[None]:
    """For the tests of a folder whose conftest imports this."""
    with forks():
        yield
