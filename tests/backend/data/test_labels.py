"""Targets that are labels."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.data.labels import is_one_hot, most_frequent

LABELS = np.array([0, 2, 2, 1, 2])


@pytest.mark.parametrize(
    "targets",
    [LABELS, LABELS[:, None], np.eye(3)[LABELS], np.eye(3, dtype=np.int64)[LABELS]],
    ids=["numbers", "numbers in a column", "one-hot", "one-hot integers"],
)
def test_the_share_of_the_most_frequent_label(targets: np.ndarray) -> None:
    assert most_frequent(targets) == {"": 0.6}


def test_zeros_and_ones_are_labels_and_quantities_are_not() -> None:
    assert most_frequent(np.array([[1.0], [0.0], [1.0], [1.0]])) == {"": 0.75}
    assert most_frequent(np.array([1.5, 0.0, 1.0])) == {}
    assert most_frequent(np.zeros((3, 4))) == {}, "several labels of an example"
    assert most_frequent(np.zeros((3, 4), np.int64)) == {}, "a sequence of labels"


def test_each_output_has_its_own() -> None:
    targets = {"digit": LABELS, "ink": np.array([0.1, 0.2, 0.3, 0.4, 0.5]), "even": np.array([1.0, 1.0, 1.0, 0.0, 1.0])}
    assert most_frequent(targets) == {"digit": 0.6, "even": 0.8}


def test_one_hot_has_a_single_1_in_each_row() -> None:
    assert is_one_hot(np.eye(3)[LABELS])
    assert not is_one_hot(np.ones((2, 2)))
    assert not is_one_hot(LABELS)
