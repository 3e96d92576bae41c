from __future__ import annotations

from typing import Any

import pytest

from tfopt.stages.prune import Prune


def stage(**written: Any) -> Prune:
    return Prune.model_validate({"epochs": 3, "schedule": {"kind": "linear", "final": "80%"}, **written})


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        (
            {"allocation": {"kind": "global", "ceiling": "70%"}},
            ("allocation", "ceiling"),
            "at most 70%, below schedule",
        ),
        ({"allocation": {"kind": "global", "floor": "90%"}}, ("allocation", "floor"), "at least 90%, above schedule"),
        (
            {"allocation": "global", "schedule": {"kind": "linear", "final": "99.5%"}},
            ("allocation",),
            "at most 99%, below schedule.final (99.5%)",
        ),
        (
            {"allocation": "global", "sparsity_m_by_n": [2, 4]},
            ("allocation",),
            "cannot be combined with sparsity_m_by_n",
        ),
    ],
)
def test_an_allocation_that_cannot_work_is_found(written: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (mistake,) = stage(**written).problems()
    assert mistake.path == path
    assert message in mistake.message


@pytest.mark.parametrize("allocation", ["uniform", "global", {"kind": "global", "floor": "10%", "ceiling": "95%"}])
def test_an_allocation_that_works_comes_back_as_written(allocation: Any) -> None:
    found = stage(allocation=allocation)
    assert found.problems() == []
    assert found.model_dump(mode="json")["allocation"] == allocation


def test_layers_with_a_schedule_or_pattern_of_their_own_are_not_pooled() -> None:
    rules = [
        {"match": "own", "schedule": {"kind": "one_shot", "final": "50%"}},
        {"match": "pattern", "sparsity_m_by_n": [2, 4]},
        {"match": "blocks", "block_size": [4, 1]},
    ]
    pruning = stage(allocation="global", layers=rules)
    names = ("own", "pattern", "blocks", "other")
    assert [name for name in names if pruning.pools(name, "Dense")] == ["blocks", "other"]
    assert not any(stage(layers=rules).pools(name, "Dense") for name in names)
