"""Versions of a file run in a child process; one that cannot run says why and costs no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.rewritten_files import Ran, run_all, run_rewritten


def test_every_version_runs(tmp_path: Path) -> None:
    file = two_layers.int8_file(tmp_path / "int8.tflite")
    np.save(tmp_path / "x.npy", two_layers.EXAMPLES)
    done: list[int] = []
    weights = {1: two_layers.FIRST, 3: two_layers.SECOND}
    ran = run_rewritten(file, [set(), {0, 1}], weights, {"x": tmp_path / "x.npy"}, tmp_path, done.append)
    assert done == [2]
    errors = [np.abs(one.outputs - two_layers.expected()).mean() for one in ran if isinstance(one, Ran)]
    assert len(errors) == 2
    assert errors[1] < errors[0]


def test_examples_that_do_not_fit_are_an_error_of_each_version(tmp_path: Path) -> None:
    file = two_layers.int8_file(tmp_path / "int8.tflite")
    np.save(tmp_path / "x.npy", two_layers.EXAMPLES[:, :2])
    np.savez(tmp_path / "w.npz")
    replies = run_all(str(file), [[], [0]], str(tmp_path / "w.npz"), {"x": str(tmp_path / "x.npy")}, str(tmp_path))
    assert len(replies) == 2
    assert all("error" in reply for reply in replies)
