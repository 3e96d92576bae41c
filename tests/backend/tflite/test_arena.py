"""The arena of a file: tensors that share memory count once, constants and gaps do not."""

from __future__ import annotations

from pathlib import Path

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.tflite.arena import arena_bytes


def test_a_chain_needs_room_for_two_results_however_long_it_is(tmp_path: Path) -> None:
    width = 1024
    short = arena_bytes(chain(tmp_path / "short.tflite", width, "TANH"), {})
    long = arena_bytes(chain(tmp_path / "long.tflite", width, *["TANH", "LOGISTIC"] * 4), {})
    assert short == long
    assert short is not None
    assert 2 * 4 * width <= short <= 3 * 4 * width + 256
