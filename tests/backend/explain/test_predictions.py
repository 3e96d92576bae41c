"""Which predictions changed: counted, by class, and as examples for people."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.generative import TOKENIZER
from tfopt.backend.data.splits import Split
from tfopt.backend.explain.predictions import explain_predictions
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.core.config.training.compile import Compile, Loss
from tfopt.core.records.explanation import ExplanationRecord

CLASSES = Compile()
BINARY = Compile.model_validate({"loss": "binary_crossentropy", "metrics": ["accuracy"]})
REGRESSION = Compile.model_validate({"loss": "mse", "metrics": ["mae"]})
TRUTH = np.array([0, 1, 2, 0])


def one_hot(labels: list[int]) -> np.ndarray:
    return np.eye(3)[labels].astype(np.float32) * 0.8 + 0.1


def explained(before: np.ndarray, after: np.ndarray, split: Split, compile: Compile = CLASSES) -> ExplanationRecord:
    return explain_predictions(before, after, split, compile, against="the model", name="test")


def test_lost_and_gained_predictions_are_counted() -> None:
    split = Split(np.arange(8.0).reshape(4, 2), TRUTH)
    found = explained(one_hot([0, 1, 0, 1]), one_hot([0, 2, 2, 2]), split)
    assert (found.changed, found.lost, found.gained) == (3, 1, 1)
    assert found.indices == [1, 2, 3]
    assert {one.index: one.helped for one in found.shown} == {1: False, 2: True, 3: None}
    lost = next(one for one in found.shown if one.index == 1)
    assert (lost.truth, lost.before, lost.after, lost.text) == ("1", "1 (0.9)", "2 (0.9)", "2 3")


def test_classes_have_their_accuracy_before_and_after() -> None:
    split = Split(np.zeros((4, 2)), TRUTH)
    found = explain_predictions(
        one_hot([0, 1, 2, 0]), one_hot([0, 1, 2, 1]), split, CLASSES,
        against="the model", name="test", class_names=("a", "b", "c"),
    )  # fmt: skip
    assert [(one.name, one.examples, one.before, one.after) for one in found.classes] == [
        ("a", 2, 1.0, 0.5), ("b", 1, 1.0, 1.0), ("c", 1, 1.0, 1.0),
    ]  # fmt: skip
    assert found.shown[0].after == "b (0.9)"


def test_one_hot_targets_and_logits_are_classes_too() -> None:
    logits = Compile.model_validate({"loss": {"name": "categorical_crossentropy", "from_logits": True}})
    split = Split(np.zeros((3, 2)), np.eye(3)[[0, 1, 2]])
    found = explained(10 * np.eye(3)[[0, 1, 2]], 10 * np.eye(3)[[0, 1, 1]], split, logits)
    assert (found.changed, found.lost) == (1, 1)
    assert found.shown[0].before == "2 (1)"


def test_binary_outputs_have_two_classes() -> None:
    split = Split(np.zeros((3, 2)), np.array([0, 1, 1]))
    found = explained(np.array([[0.1], [0.9], [0.8]]), np.array([[0.1], [0.9], [0.2]]), split, BINARY)
    assert found.lost == 1
    assert [(one.label, one.after) for one in found.classes] == [(0, 1.0), (1, 0.5)]


def test_labels_of_several_have_an_accuracy_each() -> None:
    split = Split(np.zeros((2, 2)), np.array([[1, 0], [1, 1]]))
    found = explained(np.array([[0.9, 0.1], [0.9, 0.9]]), np.array([[0.9, 0.1], [0.9, 0.1]]), split, BINARY)
    assert [one.after for one in found.classes] == [1.0, 0.5]
    assert found.shown[0].before == "0, 1"
    assert found.shown[0].after == "0"


def test_each_label_of_a_sequence_is_a_prediction() -> None:
    split = Split(np.zeros((2, 2)), np.array([[0, 1], [2, 2]]))
    found = explained(np.stack([one_hot([0, 1]), one_hot([2, 2])]), np.stack([one_hot([0, 1]), one_hot([2, 0])]), split)
    assert (found.examples, found.changed, found.lost, found.indices) == (4, 1, 1, [3])
    assert (found.shown[0].index, found.shown[0].truth) == (1, "2")
    assert found.shown[0].after.startswith("0 (")


def test_labels_that_the_loss_ignores_do_not_count() -> None:
    split = Split(np.zeros((2, 2)), np.array([[0, -1], [2, -1]]))
    ignoring = Compile(loss=Loss.model_validate({"name": "sparse_categorical_crossentropy", "ignore_class": -1}))
    before = np.stack([one_hot([0, 1]), one_hot([2, 2])])
    found = explained(before, np.stack([one_hot([1, 0]), one_hot([2, 0])]), split, ignoring)
    assert (found.examples, found.changed, found.lost) == (2, 1, 1)


def test_tokens_are_shown_as_text() -> None:
    tokenizer = Tokenizer.from_files({"tokenizer.json": TOKENIZER.read_bytes()})
    split = Split(np.array([[1, 2, 3]]), np.array([[2, 3, 4]]))
    before, after = np.eye(14)[[[2, 3, 4]]], np.eye(14)[[[2, 3, 5]]]
    found = explain_predictions(before, after, split, CLASSES, against="model", name="test", tokenizer=tokenizer)
    (shown,) = found.shown
    assert (shown.text, shown.truth, shown.after) == ("… abc", "d", "e (1)")


def test_regression_shows_the_largest_changes() -> None:
    split = Split(np.zeros((3, 2)), np.array([[1.0], [2.0], [3.0]]))
    found = explained(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.1], [4.0]]), split, REGRESSION)
    assert found.changed is None
    assert [(one.index, one.before, one.after) for one in found.shown] == [(2, "3", "4"), (1, "2", "2.1")]


def test_what_is_no_number_is_shown_as_such() -> None:
    split = Split(np.zeros((1, 2)), np.array([0]))
    assert explained(one_hot([0]), np.full((1, 3), np.nan), split).shown[0].after == "not a number"


@pytest.mark.tf
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (200, 100, 3)])
def test_images_are_shown_as_small_pictures(shape: tuple[int, ...]) -> None:
    split = Split(np.random.RandomState(0).rand(1, *shape), np.array([0]))
    found = explained(one_hot([0]), one_hot([1]), split)
    assert found.shown[0].picture is not None
    assert found.shown[0].picture.startswith("data:image/png;base64,")
    assert len(found.shown[0].picture) < 20_000
    assert found.shown[0].text is None
