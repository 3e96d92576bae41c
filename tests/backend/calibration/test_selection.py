"""Which examples a file is calibrated with; whatever is asked for, none of the test split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.digits import digits
from tfopt.backend.calibration.selection import calibration_split, labels_of
from tfopt.backend.data.splits import Data, Split
from tfopt.catalog.own_code import importable
from tfopt.core.config.files.calibration import Calibration
from tfopt.errors import StageError

OWN = """\
import numpy as np
def first(inputs, targets): return range(3)
def mask(inputs, targets): return targets == 4
def scaled(inputs, targets): return inputs[:5] * 0.5
def nothing(inputs, targets): return []
def nobody(inputs, targets): return targets > 99
def outside(inputs, targets): return [len(inputs)]
def negative(inputs, targets): return [-1]
def flat(inputs, targets): return inputs[:2].reshape(2, -1)
def endless(inputs, targets): return inputs[:2] + np.inf
def fails(inputs, targets): raise KeyError("wanted")
def writes(inputs, targets): inputs[0] = 0
def cheats(inputs, targets): return np.load({test!r})
"""


def poisoned(targets: Any = None) -> Data:
    """Digits whose test examples are not numbers, so that whatever reads them shows it."""
    data = digits()
    train = data.train if targets is None else Split(data.train.inputs, targets)
    return replace(data, train=train, test=Split(np.full_like(data.test.inputs, np.nan), data.test.targets))


def select(data: Data | None = None, **keys: Any) -> Split:
    return calibration_split(data or poisoned(), Calibration.model_validate(keys), seed=1)


@pytest.fixture
def own(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    test = tmp_path / "test.npy"
    np.save(test, digits().test.inputs[:2])
    (tmp_path / "ownselect.py").write_text(OWN.replace("{test!r}", repr(str(test))), encoding="utf-8")
    with importable(tmp_path):
        yield


def test_random_is_the_draw_of_before() -> None:
    assert np.array_equal(select(examples=9).inputs, digits().train.take(9, 1).inputs)
    assert len(select(examples=10**6)) == 1200


def test_balanced_takes_the_same_number_of_each_class() -> None:
    found = select(select="balanced", examples=35)
    assert len(found) == 35
    assert np.isfinite(np.asarray(found.inputs)).all()
    assert set(np.bincount(np.asarray(found.targets))) == {3, 4}


def test_a_class_that_runs_out_is_filled_up_by_the_others() -> None:
    labels = np.zeros(1200, np.int32)
    labels[:3] = 7
    found = select(poisoned(labels), select="balanced", examples=20)
    assert np.bincount(np.asarray(found.targets)).tolist() == [17, 0, 0, 0, 0, 0, 0, 3]


@pytest.mark.parametrize("form", ["one_hot", "column", "float"])
def test_classes_are_seen_in_each_form(form: str) -> None:
    labels = np.arange(1200) % 2
    forms = {"one_hot": np.eye(2)[labels], "column": labels[:, None], "float": labels.astype(np.float32)}
    assert np.array_equal(labels_of(forms[form]), labels)
    assert len(select(poisoned(forms[form]), select="balanced", examples=6)) == 6


@pytest.mark.parametrize(
    "targets", [np.linspace(0, 1, 1200), np.zeros((1200, 4), np.int32), {"a": np.linspace(0, 1, 1200)}]
)
def test_targets_that_are_no_classes_are_an_error(targets: Any) -> None:
    with pytest.raises(StageError, match="are no classes"):
        select(poisoned(targets), select="balanced")


def test_fewer_examples_than_classes_are_an_error() -> None:
    with pytest.raises(StageError, match=r"each of the 10 classes at least\. Got examples: 9"):
        select(select="balanced", examples=9)


@pytest.mark.usefixtures("own")
def test_own_code_returns_positions_or_examples() -> None:
    train = digits().train
    assert np.array_equal(select(select="ownselect:first").inputs, train.inputs[:3])
    assert set(np.asarray(select(select="ownselect:mask").targets)) == {4}
    assert np.array_equal(select(select="ownselect:scaled").inputs, train.inputs[:5] * np.float32(0.5))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("nothing", "returned no examples"),
        ("nobody", "returned no examples"),
        ("outside", "returned the position 1200; the training split has positions 0 to 1199"),
        ("negative", "returned the position -1"),
        ("flat", r"shape \[2, 64\] and type float32. Expected positions, or \[examples, 8, 8, 1\]"),
        ("endless", "not finite"),
        ("fails", "failed: KeyError: 'wanted'"),
        ("writes", "read-only"),
        ("nowhere", "has no function 'nowhere'"),
    ],
)
def test_own_code_that_cannot_be_used_is_named(function: str, expected: str) -> None:
    with pytest.raises(StageError, match=expected) as caught:
        select(select=f"ownselect:{function}")
    assert f"ownselect:{function}" in str(caught.value)


@pytest.mark.usefixtures("own")
def test_own_code_that_reads_the_test_split_is_refused() -> None:
    with pytest.raises(StageError, match="2 examples of the test split") as caught:
        calibration_split(digits(), Calibration(select="ownselect:cheats"), seed=1)
    assert caught.value.code == "test_split_used"


def test_of_several_outputs_the_first_with_classes_is_balanced() -> None:
    targets = {
        "ink": np.linspace(0.1, 0.9, 4, dtype=np.float32),
        "kind": np.array([0, 1, 1, 1]),
        "odd": np.ones(4, int),
    }
    assert np.array_equal(labels_of(targets), [0, 1, 1, 1])  # type: ignore[arg-type]
    assert labels_of({"ink": targets["ink"]}) is None
