"""Values of an axis, and the names of what they make."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.core.language.axes import alternatives, names_of, values_of


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("0.5..0.9/5", [0.5, 0.6, 0.7, 0.8, 0.9]),
        ("50%..90%/5", ["50%", "60%", "70%", "80%", "90%"]),
        ("50..90%/3", ["50%", "70%", "90%"]),
        ("1..5/5", [1, 2, 3, 4, 5]),
        ("1..2/3", [1.0, 1.5, 2.0]),
        ("0%..1%/4", ["0%", "0.3333333333%", "0.6666666667%", "1%"]),
        ("2 epochs..6 epochs/3", ["2 epochs", "4 epochs", "6 epochs"]),
        ("1e-4..1e-3/2", [1e-4, 1e-3]),
        (["a", "50%..60%/2"], ["a", "50%", "60%"]),
        ([{"kind": "constant"}], [{"kind": "constant"}]),
    ],
)
def test_values_are_a_list_or_a_range(written: Any, values: list[Any]) -> None:
    assert values_of(written) == values


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (3, "must be a list of values"),
        ("polynomial", "must be a list of values"),
        ([], "at least one value"),
        ("0.5..0.9/1", "at least two values"),
        ("0.5..0.5/3", "two ends"),
        ("50%..9 epochs/3", "one unit"),
    ],
)
def test_what_is_no_list_of_values_is_refused(written: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        values_of(written)


def test_paths_in_one_axis_go_together() -> None:
    assert alternatives({"a": [1, 2], "b": "3..4/2"}) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(ValueError, match="a has 2, b has 1"):
        alternatives({"a": [1, 2], "b": [3]})


def test_names_say_what_differs_and_nothing_else() -> None:
    choices = [
        {"stages.prune.schedule.kind": kind, "stages.prune.schedule.final": final, "stages.train.epochs": 3}
        for kind in ("polynomial", "constant")
        for final in ("80%", "90%")
    ]
    assert names_of(choices) == [
        "polynomial final=80%",
        "polynomial final=90%",
        "constant final=80%",
        "constant final=90%",
    ]


def test_names_of_blocks_name_the_kind_and_what_tells_two_of_a_kind_apart() -> None:
    blocks = [
        {"kind": "polynomial", "final": "80%"},
        {"kind": "polynomial", "final": "80%", "power": 1},
        {"kind": "constant"},
    ]
    assert names_of([{"stages.prune.schedule": block} for block in blocks]) == [
        "polynomial",
        "polynomial(power=1)",
        "constant",
    ]


def test_equal_endings_get_longer_keys() -> None:
    choices = [
        {"stages.train.epochs": 1, "stages.prune.epochs": 2},
        {"stages.train.epochs": 3, "stages.prune.epochs": 4},
    ]
    assert names_of(choices) == ["train.epochs=1 prune.epochs=2", "train.epochs=3 prune.epochs=4"]


def test_no_name_comes_twice() -> None:
    long = "x" * 60
    assert names_of([{"a": long + "1"}, {"a": long + "2"}]) == [f"a={'x' * 39}…", f"a={'x' * 39}… #2"]
    assert names_of([{}]) == [""]


def test_chains_of_stages_are_named_by_their_kinds() -> None:
    train, cluster = {"train": {"epochs": 4, "batch_size": 32}}, {"cluster": {"epochs": 2, "clusters": 16}}
    choices = [{"stages": [train]}, {"stages": [train, cluster]}, {"stages": [train, cluster, {"qat": {"epochs": 1}}]}]
    assert names_of(choices) == ["stages=train", "stages=train+cluster", "stages=train+cluster+qat"]
