"""A file runs in TFLite Micro itself: its smallest arena is found, its outputs are those of LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.chain_tflite import chain
from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
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


def test_an_arena_larger_than_the_first_guess_is_found(tmp_path: Path) -> None:
    width = 500_000
    tensors = [Tensor(name, schema.TensorType.FLOAT32, (1, width)) for name in ("x", "a", "b")]
    operators = [(schema.BuiltinOperator.TANH, [0], [1]), (schema.BuiltinOperator.LOGISTIC, [1], [2])]
    file = write(tmp_path / "wide.tflite", Graph(tensors, operators, [0], [2], {"x": "x"}))
    assert run_in_micro(file, examples(tmp_path, width)).arena_bytes >= 4_000_000
