"""A process that forks itself for each request."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfopt.backend.tflite import fork_server
from tfopt.backend.tflite.fork_server import IS_AVAILABLE, ForkServer

pytestmark = pytest.mark.skipif(not IS_AVAILABLE, reason="only Linux forks")

HERE = __name__


def about_me(**_: object) -> dict[str, Any]:
    return {"pid": os.getpid(), "parent": os.getppid(), "folder": os.getcwd(), "variable": os.environ.get("TFOPT_TEST")}


def sleep(fifo: str) -> None:
    """Never ends; the other end of the pipe is readable from its begin on, and ends with it."""
    with open(fifo, "w") as pipe:
        print("sleeping", file=pipe, flush=True)
        signal.pause()


def call_sleep(folder: str, fifo: str) -> None:
    """What a caller that will be killed does."""
    ForkServer("json").run(HERE, files(Path(folder), "sleep", fifo=fifo), os.environ)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[int]:
    os.mkfifo(tmp_path / "fifo")
    reading = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    yield reading
    os.close(reading)


def read(pipe: int) -> bytes:
    """The next content of a pipe, b"" at its end."""
    assert select.select([pipe], [], [], 60)[0], "nothing was written, and the writer has not ended"
    return os.read(pipe, 100)


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer("json")
    yield server
    server.close()


def files(folder: Path, function: str, **arguments: str) -> tuple[str, str]:
    """Request and reply file of a call."""
    content = {"function": f"{HERE}:{function}", "arguments": arguments, "memory": None, "note": str(folder / "note")}
    (folder / "request.json").write_text(json.dumps(content))
    return str(folder / "request.json"), str(folder / "reply.json")


def test_each_request_has_a_process_of_its_own_with_the_environment_of_the_caller(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = []
    for value in ("a", "b"):
        monkeypatch.chdir(tmp_path)
        arguments = files(tmp_path, "about_me")
        assert server.run(HERE, arguments, {**os.environ, "TFOPT_TEST": value}) == (0, "")
        replies.append(json.loads(Path(arguments[1]).read_text())["result"])
    first, second = replies
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["pid"] != second["pid"]
    assert [first["variable"], second["variable"]] == ["a", "b"]
    assert first["folder"] == str(tmp_path)


def test_a_request_that_takes_too_long_ends_with_its_process_and_the_next_one_works(
    server: ForkServer, tmp_path: Path, pipe: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed_out(*_: object) -> tuple[list[int], list[int], list[int]]:
        assert read(pipe) == b"sleeping\n"
        return [], [], []

    with monkeypatch.context() as patched:
        patched.setattr(fork_server, "select", SimpleNamespace(select=timed_out))
        code, _ = server.run(HERE, files(tmp_path, "sleep", fifo=str(tmp_path / "fifo")), os.environ, seconds=1)
    assert code is None
    assert read(pipe) == b""
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ)[0] == 0


def test_a_limit_of_time_is_kept(server: ForkServer, tmp_path: Path, pipe: int) -> None:
    assert server.run(HERE, files(tmp_path, "sleep", fifo=str(tmp_path / "fifo")), os.environ, seconds=0.1)[0] is None


@pytest.mark.parametrize("killed", ["server", "caller"])
def test_a_request_ends_with_its_server_and_with_its_caller(tmp_path: Path, pipe: int, killed: str) -> None:
    code = f"import sys; from {HERE} import call_sleep; call_sleep(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "fifo")]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as caller:
        assert read(pipe) == b"sleeping\n"
        children = Path(f"/proc/{caller.pid}/task/{caller.pid}/children").read_text().split()
        os.kill(int(children[0]) if killed == "server" else caller.pid, signal.SIGKILL)
        assert read(pipe) == b""


def test_what_a_library_prints_at_its_import_is_no_reply(tmp_path: Path) -> None:
    server = ForkServer("this")  # prints the Zen of Python
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ) == (0, "")
    server.close()


def test_a_module_in_the_current_folder_hides_none_of_python(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError('mine')")
    monkeypatch.chdir(tmp_path)
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ) == (0, "")


def test_a_fork_of_the_caller_leaves_the_server_alone(server: ForkServer, tmp_path: Path) -> None:
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ)[0] == 0
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        server.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ) == (0, "")


def test_a_server_that_cannot_import_says_why(tmp_path: Path) -> None:
    server = ForkServer("no_such_module_of_anybody")
    code, printed = server.run(HERE, files(tmp_path, "about_me"), os.environ)
    server.close()
    assert code == 1
    assert "No module named 'no_such_module_of_anybody'" in printed


def test_a_server_that_was_killed_is_started_again(server: ForkServer, tmp_path: Path) -> None:
    arguments = files(tmp_path, "about_me")
    server.run(HERE, arguments, os.environ)
    os.kill(json.loads(Path(arguments[1]).read_text())["result"]["parent"], signal.SIGKILL)
    assert server.run(HERE, arguments, os.environ)[0] in (0, -signal.SIGKILL)  # it may not have ended yet
    assert server.run(HERE, arguments, os.environ)[0] == 0
