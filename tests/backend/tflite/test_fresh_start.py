"""A file that cannot be loaded, or never ends, is one sentence that names it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.tflite import fresh_start as module
from tfopt.backend.tflite.fresh_start import fresh_start

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]


def test_what_litert_refuses_is_said(tmp_path: Path) -> None:
    file = chain(tmp_path / "odd.tflite", 16, "BROADCAST_TO")
    with pytest.raises(RuntimeError, match=r"odd\.tflite: loading it and the first call on the default kernels failed"):
        fresh_start(str(file), 1, "default", {})


def test_a_crash_and_a_hang_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(*arguments: object) -> None:
        while True:
            pass

    monkeypatch.setattr(module, "_load_and_call", crash)
    with pytest.raises(RuntimeError, match=r"a\.tflite.* ended with SIGKILL"):
        fresh_start(str(tmp_path / "a.tflite"), 1, "builtin", {})
    monkeypatch.setattr(module, "_load_and_call", hang)
    monkeypatch.setattr(module, "_MOST_SECONDS", 1)
    with pytest.raises(RuntimeError, match="took longer than 1 s"):
        fresh_start(str(tmp_path / "a.tflite"), 1, "builtin", {})
