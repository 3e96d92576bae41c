"""Outputs of a model, their losses and their targets, brought together by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models.outputs import classes_of, for_model
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

LABELS = np.array([0, 2, 1, 2], np.int32)
INK = np.zeros((4, 1), np.float32)
TWO = Compile.model_validate({"loss": {"digit": "sparse_categorical_crossentropy", "ink": "mse"}})


def data(targets: Any) -> Data:
    split = Split(np.zeros((4, 3), np.float32), targets)
    return Data(split, split, split, source="mine")


def test_targets_by_name_or_in_order_get_the_names_of_outputs() -> None:
    for targets in ({"ink": INK, "digit": LABELS}, {"target 1": INK, "target 2": LABELS}):
        compile, found, warnings = for_model(TWO, data(targets), ["ink", "digit"], "m")
        assert compile.all_outputs == ("ink", "digit")
        assert isinstance(found.train.targets, dict)
        assert found.train.targets["digit"] is LABELS
        assert not warnings
    assert (classes_of(found, "digit"), classes_of(found, "ink")) == (3, None)


def test_what_is_not_judged_or_not_used_is_said() -> None:
    targets = {"digit": LABELS, "ink": INK, "writer": LABELS}
    compile, found, warnings = for_model(TWO, data(targets), ["digit", "features", "ink"], "m")
    assert compile.outputs == ("digit", "ink")
    assert [*found.train.targets] == ["digit", "ink"]
    assert "features has no loss" in warnings[0]
    assert "writer" in warnings[1]


@pytest.mark.parametrize(
    ("compile", "targets", "names", "message", "code"),
    [
        (
            TWO,
            LABELS,
            ["probabilities"],
            "names the outputs digit, ink, but the data mine have the targets of one",
            "data_missing",
        ),
        (TWO, {"digit": LABELS, "ink": INK}, ["digt", "ink"], "Did you mean 'digt'", "unknown_output"),
        (TWO, {"digit": LABELS}, ["digit", "ink"], "no targets for ink; they have those of digit", "data_missing"),
        (TWO, LABELS, ["digit", "ink"], "but the data mine have the targets of one", "data_missing"),
        (
            Compile(),
            {"digit": LABELS, "ink": INK},
            ["digit", "ink"],
            "loss: {digit: sparse_categorical_crossentropy, ink: mse}",
            "incompatible_model",
        ),
        (Compile(), {"digit": LABELS, "ink": INK}, ["digit"], "has one output, digit", "incompatible_model"),
    ],
)
def test_what_does_not_fit_is_one_error_before_training(
    compile: Compile, targets: Any, names: list[str], message: str, code: str
) -> None:
    with pytest.raises(StageError) as raised:
        for_model(compile, data(targets), names, "m")
    assert message in f"{raised.value} {raised.value.hint}"
    assert raised.value.code == code
