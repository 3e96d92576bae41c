"""A file runs in TFLite Micro itself: its smallest arena is found, its outputs are those of LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.micro.interpreter import run_in_micro
from tfopt.backend.tflite.child_process import ProcessFailed

pytest.importorskip("tflite_micro")


def examples(folder: Path, width: int) -> dict[str, Path]:
    file = folder / "x.npy"
    np.save(file, np.random.default_rng(1).normal(size=(4, width)).astype(np.float32))
    return {"x": file}


def test_the_arena_holds_the_results_and_little_else(tmp_path: Path) -> None:
    width = 256
    found = run_in_micro(chain(tmp_path / "a.tflite", width, "TANH", "LOGISTIC"), examples(tmp_path, width))
    assert 2 * 4 * width <= found.arena_bytes <= 2 * 4 * width + 4000
    assert (found.examples, found.steps) == (4, None)
    assert found.share is not None
    assert found.share < 1e-5


def test_what_it_has_no_kernel_for_is_said_as_it_says_it(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match=r"Didn't find op for builtin opcode 'GELU'"):
        run_in_micro(chain(tmp_path / "a.tflite", 16, "GELU"), examples(tmp_path, 16))
