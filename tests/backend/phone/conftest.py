"""A `benchmark_model` that is an ELF file for arm64, a file to measure, and adb at the port of a fake server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.phone.fake_adb import FakePhone, adb_server


def elf(machine: int) -> bytes:
    """The beginning of a program for a processor."""
    return b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(100)


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    path = tmp_path / "benchmark_model"
    path.write_bytes(elf(0xB7))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "int8.tflite"
    path.write_bytes(b"    TFL3" + bytes(5000))
    return path


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Connects phones by serial."""
    pytest.importorskip("adbutils")
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    with ExitStack() as stack:

        def connect(**connected: FakePhone) -> None:
            port = stack.enter_context(adb_server(connected))
            monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))

        yield connect
