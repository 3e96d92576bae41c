"""How much examples count: weights from every kind of source, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.large_data import jpegs
from tfopt.backend.data.load import Data, load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

N = 40
X, Y = np.arange(N, dtype=np.float32)[:, np.newaxis], np.arange(N) % 2
W = np.arange(N) / 10


def loaded(source: Path | str, folder: Path, **keys: Any) -> Data:
    return load(DataConfig.model_validate({"source": str(source), **keys}), folder)


def function(folder: Path, value: str, name: str) -> str:
    """A source that returns a value, or a function of inputs and targets."""
    lines = ["import numpy as np", f"X, Y, W = np.arange({N}.0)[:, None], np.arange({N}) % 2, np.arange({N}) / 10"]
    lines += ["def load():", f"    return {value}", "def own(inputs, targets):", f"    return {value}"]
    (folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
    return f"{name}:load"


@pytest.mark.parametrize("kind", ["tuple", "csv", "npz", "own"])
def test_weights_stay_with_their_examples(kind: str, tmp_path: Path) -> None:
    keys: dict[str, Any] = {}
    source: Path | str = function(tmp_path, "X, Y, W", f"weights_{kind}")
    if kind == "csv":
        source = tmp_path / "table.csv"
        rows = [f"{x},{y},{w}" for x, y, w in zip(X[:, 0], Y, W, strict=True)]
        source.write_text("\n".join(["x,label,weight", *rows]), encoding="utf-8")
        keys = {"args": {"target": "label", "weight": "weight"}}
    if kind == "npz":
        source = tmp_path / "table.npz"
        np.savez(source, x=X, y=Y, weights=W)
    if kind == "own":
        np.savez(tmp_path / "plain.npz", x=X, y=Y)
        function(tmp_path, "inputs[:, 0] / 10", "weights_own")
        source, keys = tmp_path / "plain.npz", {"sample_weights": "weights_own:own"}
    data = loaded(source, tmp_path, **keys)
    for split in (data.train, data.validation, data.test):
        assert split.weights is not None
        np.testing.assert_allclose(split.weights, np.asarray(split.inputs)[:, 0] / 10, rtol=1e-6)
    plain = loaded(tmp_path / "plain.npz", tmp_path) if kind == "own" else None
    assert plain is None or plain.fingerprint != data.fingerprint


def test_weights_are_given_once_and_by_a_function(tmp_path: Path) -> None:
    np.savez(tmp_path / "both.npz", x=X, y=Y, weights=W)
    function(tmp_path, "targets + 1.0", "weights_twice")
    with pytest.raises(StageError, match="the source gives the examples of the train split weights") as caught:
        loaded(tmp_path / "both.npz", tmp_path, sample_weights="weights_twice:own")
    assert caught.value.code == "conflicting_keys"
    with pytest.raises(ValueError, match="role: weight"):
        DataConfig(source="both.npz", sample_weights="weights")


def test_weights_of_images_that_are_decoded_when_they_are_read(tmp_path: Path) -> None:
    jpegs(tmp_path / "images", N)
    (tmp_path / "weights_images.py").write_text("def own(inputs, targets):\n    return targets + 0.5\n")
    data = loaded(tmp_path / "images", tmp_path, cache="none", sample_weights="weights_images:own")
    assert isinstance(data.train.weights, np.ndarray)
    np.testing.assert_array_equal(data.train.weights, np.asarray(data.train.targets) + 0.5)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("W", {"a": W, "b": W}), ("{'b': W}", {"a": np.ones(N), "b": W}), ("(W, W + 1)", {"a": W, "b": W + 1})],
)
def test_weights_by_output(given: str, expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    name = f"weights_by_output_{abs(hash(given))}"
    source = function(tmp_path, f"X, {{'a': Y, 'b': Y}}, {given}", name)
    data = loaded(source, tmp_path)
    positions = np.asarray(data.train.inputs)[:, 0].astype(int)
    assert isinstance(data.train.weights, dict)
    for output, weights in expected.items():
        np.testing.assert_allclose(data.train.weights[output], weights[positions], rtol=1e-6)


@pytest.mark.parametrize(
    ("number", "value", "message"),
    [
        (0, "X, Y, -W", "39 examples of 40 have a weight that is negative"),
        (1, "X, Y, W[1:]", r"shape \(39,\)"),
        (2, "X, Y, 0 * W", "all 0"),
        (3, "X, Y, {'a': W}", "one array of targets"),
        (4, "X, {'a': Y, 'b': Y}, {'c': W}", "name the output 'c'"),
        (5, "X, (Y, Y + 0.5), {'b': W}", "the targets have no names"),
        (6, "X, {'a': Y, 'b': Y}, (W,)", "1 array of sample weights for 2 outputs"),
    ],
)
def test_weights_that_cannot_be(number: int, value: str, message: str, tmp_path: Path) -> None:
    source = function(tmp_path, value, f"weights_wrong_{number}")
    with pytest.raises(StageError, match=message):
        loaded(source, tmp_path)
