"""Several inputs: in order as Keras takes them, or by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.errors import refused
from tfopt.backend.data.load import Data, load
from tfopt.backend.data.several_inputs import by_position, with_names_of_model
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

MODULE = """
import numpy as np

n = 40
a, b = np.arange(n * 3, dtype="float32").reshape(n, 3), np.arange(n, dtype="int32").reshape(n, 1)
y = np.arange(n) % 2

def in_order(): return (a, b), y
def as_list(): return [a, b], y
def with_test(): return ((a, b), y), ((a[:8], b[:8]), y[:8])
def splits(): return {"train": ((a, b), y), "validation": ([a[:6], b[:6]], y[:6])}
def by_name(): return {"a": a, "b": b}, y
def single(): return (a,), y
def examples(): return list(a), y
def rows(): return a.tolist(), y
def named_target(): return a, {"label": y}
def weighted(): return (a, b), y, np.ones(n - 1)
def uneven(): return (a, b[:10]), y
def two_targets(): return a, {"one": y, "two": y}
"""


def loaded(folder: Path, name: str) -> Data:
    (folder / "many_forms.py").write_text(MODULE, encoding="utf-8")
    return load(DataConfig(source=f"many_forms:{name}"), folder)


@pytest.mark.parametrize("name", ["in_order", "as_list", "with_test", "splits"])
def test_inputs_in_order_get_the_names_of_the_models_inputs(tmp_path: Path, name: str) -> None:
    data = loaded(tmp_path, name)
    assert data.positional
    named = with_names_of_model(data, ["left", "right"], "siamese")
    for split in (named.train, named.validation, named.test):
        assert isinstance(split.inputs, dict)
        assert [array.shape for array in split.inputs.values()] == [(len(split), 3), (len(split), 1)]
        np.testing.assert_array_equal(split.inputs["left"][:, 0], 3 * split.inputs["right"][:, 0])
    assert list(named.train.inputs) == ["left", "right"]
    other = with_names_of_model(data, ["z", "a"], "other")
    assert data.fingerprint == named.fingerprint == other.fingerprint
    with refused(StageError, "incompatible_shapes", "returns 2 inputs, but the model 'plain' has 1: image"):
        with_names_of_model(data, ["image"], "plain")


def test_names_stay_and_one_input_is_an_array(tmp_path: Path) -> None:
    named = loaded(tmp_path, "by_name")
    assert not named.positional
    assert with_names_of_model(named, ["left", "right"], "siamese") is named
    for name in ("single", "examples", "rows", "named_target"):
        data = loaded(tmp_path, name)
        assert isinstance(data.train.inputs, np.ndarray)
        assert data.train.inputs.shape[1:] == (3,)
        assert isinstance(data.train.targets, np.ndarray)


def test_a_list_of_as_many_arrays_as_examples_is_a_list_of_examples() -> None:
    images = [np.zeros((2, 2))] * 3
    assert by_position(images, np.zeros(3)) is images
    assert by_position(images, None) is images
    assert by_position((np.zeros(4), np.zeros(4)), None) != images


def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path) -> None:
    for name, what in (("weighted", "sample weights have"), ("uneven", "input_2 has 10 examples")):
        with refused(StageError, "invalid_data", what):
            loaded(tmp_path, name)
