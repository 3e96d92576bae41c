"""A child process that takes too long or too much memory ends, and says what it did."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tfopt.backend.tflite import child_process
from tfopt.backend.tflite.limits import Limits, doing, ends_within

HERE = __name__


def sleep() -> None:
    doing("sleeps")
    time.sleep(600)


def sleep_inside() -> None:
    with ends_within(0.2, "runs slow.tflite"):
        time.sleep(600)


def in_time() -> str:
    with ends_within(0.2, "runs fast.tflite"):
        pass
    time.sleep(0.4)
    return "done"


def take(amount: int) -> int:
    return len(bytearray(amount))


def test_a_time_limit_ends_the_process_and_says_what_it_did() -> None:
    with pytest.raises(child_process.ProcessTimedOut, match=r"was stopped after 15 seconds while it sleeps") as caught:
        child_process.call(f"{HERE}:sleep", {}, Limits(seconds=15))  # a busy machine takes seconds to start a process
    assert caught.value.code == "process_crashed"


def test_a_part_of_the_work_can_have_a_limit_of_its_own() -> None:
    expected = r"was stopped after its time limit while it runs slow.tflite \(at most 0 s\)"
    with pytest.raises(child_process.ProcessTimedOut, match=expected):
        child_process.call(f"{HERE}:sleep_inside", {})
    assert child_process.call(f"{HERE}:in_time", {}) == "done"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux only")
def test_a_memory_limit_fails_what_needs_more_and_nothing_else() -> None:
    limits = Limits(memory=200 << 20)
    assert child_process.call(f"{HERE}:take", {"amount": 50 << 20}, limits) == 50 << 20
    with pytest.raises(child_process.ProcessFailed) as caught:
        child_process.call(f"{HERE}:take", {"amount": 500 << 20}, limits)
    assert "MemoryError" in caught.value.kinds
