"""Two sets of outputs that agree, and two that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfopt.backend.explain.agreement import compare, share_within
from tfopt.core.config.training.compile import Compile


def loss(name: str, **arguments: Any) -> Compile:
    return Compile(loss={"name": name, **arguments})


def test_classes_are_equal_by_the_largest_output() -> None:
    found = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])
    expected = np.array([[0.4, 0.6], [0.9, 0.1], [0.6, 0.4]])
    result = compare(found, expected, loss("sparse_categorical_crossentropy"))
    assert (result.share, result.value, result.examples) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)


def test_sequences_are_compared_element_by_element() -> None:
    expected = np.eye(4)[np.array([[0, 1, 2], [3, 2, 1]])]
    found = np.eye(4)[np.array([[0, 1, 2], [3, 2, 0]])]
    assert compare(found, expected, loss("sparse_categorical_crossentropy")).share == pytest.approx(5 / 6)


@pytest.mark.parametrize(("arguments", "share"), [({}, 0.5), ({"from_logits": True}, 1.0)])
def test_binary_outputs_have_a_threshold(arguments: dict[str, Any], share: float) -> None:
    found, expected = np.array([[0.4], [2.0]]), np.array([[0.6], [3.0]])
    assert compare(found, expected, loss("binary_crossentropy", **arguments)).share == share


def test_labels_of_a_multi_label_model_count_one_by_one() -> None:
    found, expected = np.array([[0.9, 0.1, 0.9]]), np.array([[0.8, 0.7, 0.6]])
    assert compare(found, expected, loss("binary_crossentropy")).share == pytest.approx(2 / 3)


def test_hinge_decides_at_zero() -> None:
    assert compare(np.array([[0.2], [-0.2]]), np.array([[0.4], [-0.4]]), loss("hinge")).share == 1.0


def test_regression_has_the_largest_difference_and_the_range() -> None:
    result = compare(np.array([[1.0], [2.5]]), np.array([[1.1], [3.0]]), loss("mse"))
    assert result.share is None
    assert result.value == pytest.approx(0.5)
    assert result.spread == pytest.approx(1.9)
    assert result.relative_error == pytest.approx(0.3606 / 0.95, rel=1e-3)
    assert result.reaches(0.5)
    assert not result.reaches(0.7)
    assert result.reaches(0.7, most_error=0.4)


def test_each_of_a_few_outputs_is_judged_by_its_own_scale() -> None:
    expected = np.stack([np.linspace(0, 1000, 50), np.linspace(0, 1, 50)], axis=1)
    found = expected + np.array([[2.0, 2.0]])
    result = compare(found, expected, loss("mse"))
    assert result.worst == "output 1"
    assert result.relative_error == pytest.approx(2 / expected[:, 1].std())
    assert not result.reaches(0.9)


def test_many_outputs_are_one_signal() -> None:
    """An autoencoder of images: the pixels at the border never change."""
    expected = np.tile(np.linspace(0, 1, 64) * np.r_[np.zeros(8), np.ones(56)], (20, 1))
    found = expected + 0.01
    assert compare(found, expected, loss("mse")).relative_error == pytest.approx(0.01 / expected.std())


def test_a_constant_is_judged_by_its_size() -> None:
    constant = np.full((10, 1), 4.0)
    assert compare(constant + 1, constant, loss("mae")).relative_error == pytest.approx(0.25)
    assert compare(constant, constant, loss("mae")).relative_error == 0
    assert compare(constant, constant * 0, loss("mae")).relative_error == np.inf


def test_an_output_that_is_not_a_number_is_never_equal() -> None:
    found = np.array([[np.nan, np.nan], [0.1, 0.9]])
    expected = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert compare(found, expected, loss("categorical_crossentropy")).share == 0.5
    assert compare(found[:, :1], expected[:, :1], loss("binary_crossentropy")).share == 0.5
    assert not compare(found, expected, loss("mae")).reaches(0.0)


def test_another_shape_agrees_in_nothing() -> None:
    assert compare(np.zeros((2, 3)), np.zeros((2, 4)), loss("categorical_crossentropy")).share == 0.0


def test_values_one_step_apart_are_within_it() -> None:
    step = 0.1
    expected = np.array([[0.0, 0.1, 0.2, 0.3]], np.float32)
    assert share_within(expected + np.float32(step), expected, step) == 1.0
    assert share_within(expected + np.float32([[0, 0, 0, 2 * step]]), expected, step) == 0.75
    assert share_within(expected[:, :2], expected, step) == 0.0
