"""A process that forks itself for each request."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tfopt.backend.tflite.fork_server import IS_AVAILABLE, ForkServer

pytestmark = pytest.mark.skipif(not IS_AVAILABLE, reason="only Linux forks")

HERE = __name__


def about_me(**_: object) -> dict[str, Any]:
    return {"pid": os.getpid(), "parent": os.getppid(), "folder": os.getcwd(), "variable": os.environ.get("TFOPT_TEST")}


def sleep() -> None:
    print("sleeping", flush=True)
    signal.pause()


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer("json")
    yield server
    server.close()


def files(folder: Path, function: str) -> tuple[str, str]:
    """Request and reply file of a call."""
    content = {"function": f"{HERE}:{function}", "arguments": {}, "memory": None, "note": str(folder / "note")}
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
    server: ForkServer, tmp_path: Path
) -> None:
    code, _ = server.run(HERE, files(tmp_path, "sleep"), os.environ, seconds=1)
    assert code is None
    assert server.run(HERE, files(tmp_path, "about_me"), os.environ)[0] == 0


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
