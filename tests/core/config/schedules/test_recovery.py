"""Pruning schedules that leave a model too few steps to recover."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.core.config.schedules import Constant, Linear, Metric, OneShot, Polynomial
from tfopt.core.config.schedules.base import ScheduleBase
from tfopt.core.config.schedules.recovery import recovery_warnings


def warned(schedule: ScheduleBase, steps: int, per_epoch: int = 6) -> list[str]:
    resolved = schedule.resolve(steps, per_epoch)
    return recovery_warnings({"one": resolved, "two": resolved})


@pytest.mark.parametrize(
    ("kind", "values"), [(Polynomial, {"end": "70%"}), (Linear, {"end": "70%"}), (OneShot, {}), (Constant, {})]
)
def test_18_steps_to_70_percent_are_too_few(kind: type[ScheduleBase], values: dict[str, Any]) -> None:
    (warning,) = warned(kind.model_validate({"final": "70%", **values}), 18)
    assert "70% sparsity with 1" in warning
    assert "needs 70 steps or more" in warning


def test_a_schedule_that_ends_with_the_stage_is_too_late() -> None:
    (warning,) = warned(Polynomial.model_validate({"final": "80%", "end": "100%"}), 400, 40)
    assert "0 steps after sparsity is complete" in warning
    assert "schedule.end" in warning


def test_the_first_recipe_and_mild_or_controlled_schedules_are_fine() -> None:
    assert warned(Polynomial.model_validate({"final": "80%", "end": "70%"}), 210, 21) == []
    assert warned(Polynomial.model_validate({"final": "20%"}), 18) == []
    assert warned(Metric.model_validate({"final": "80%", "rungs": 1}), 18) == []
