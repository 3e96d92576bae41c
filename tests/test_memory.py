"""How much memory is free."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tfopt import memory
from tfopt.memory import available_memory, peak_memory


def test_the_smaller_of_machine_and_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=2_048_000))
    assert available_memory(tmp_path / "none") == 2_048_000
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    assert available_memory(tmp_path) == 150_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path) == 2_048_000


def test_this_process_took_some() -> None:
    assert (peak_memory() or 10**7) >= 10**7
