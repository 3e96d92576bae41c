"""A function in a child process: results, errors and crashes come back as plain values."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tfopt.backend.tflite import child_process

HERE = __name__


@pytest.fixture(params=["fork", "new interpreter"], autouse=True)
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a child process starts."""
    if request.param == "new interpreter":
        monkeypatch.setattr(child_process, "IS_AVAILABLE", False)
    elif not child_process.IS_AVAILABLE:
        pytest.skip("only Linux forks")
    return request.param


def add(left: int, right: int) -> dict[str, int]:
    return {"sum": left + right, "pid": os.getpid()}


def die(name: str) -> None:
    print("about to go", file=sys.stderr)
    sys.stderr.flush()
    os.kill(os.getpid(), getattr(signal, name))


def complain() -> None:
    raise ValueError("kernel has 3 axes, not 4")


def leave() -> None:
    os._exit(3)


def chatter() -> str:
    os.write(1, b"noise on stdout\n" * 10_000)
    os.write(2, b"noise on stderr\n" * 10_000)
    return "quiet"


def test_gives_back_the_result_from_another_process() -> None:
    result = child_process.call(f"{HERE}:add", {"left": 2, "right": 3})
    assert result["sum"] == 5
    assert result["pid"] != os.getpid()


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_names_the_signal_and_the_last_line_of_stderr(name: str) -> None:
    with pytest.raises(
        child_process.ProcessCrashed, match=rf"crashed with {name}; last line of stderr: about to go"
    ) as caught:
        child_process.call(f"{HERE}:die", {"name": name})
    assert caught.value.cause == name
    assert caught.value.exit_code == 5


def test_an_exit_without_a_reply_is_a_crash() -> None:
    with pytest.raises(child_process.ProcessCrashed, match="exit code 3 without a reply"):
        child_process.call(f"{HERE}:leave", {})


def test_an_exception_comes_back_as_its_message() -> None:
    with pytest.raises(child_process.ProcessFailed, match="ValueError: kernel has 3 axes, not 4") as caught:
        child_process.call(f"{HERE}:complain", {})
    assert "in complain" in caught.value.trace


def test_output_of_the_child_neither_blocks_nor_corrupts_the_result() -> None:
    assert child_process.call(f"{HERE}:chatter", {}) == "quiet"


def test_an_interrupt_kills_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    def interrupted(self: subprocess.Popen[str], timeout: float | None = None) -> None:
        started.append(self)
        raise KeyboardInterrupt("stop")

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt, match="stop"):
        child_process._run([sys.executable, "-c", "import time; time.sleep(600)"])
    assert started[0].returncode == -signal.SIGKILL


def test_the_child_itself_loads_no_tensorflow(start: str) -> None:
    assert child_process.call(f"{HERE}:loaded", {}) == (["numpy"] if start == "fork" else [])


def loaded() -> list[str]:
    return sorted({"tensorflow", "numpy", "tf_keras"} & set(sys.modules))
