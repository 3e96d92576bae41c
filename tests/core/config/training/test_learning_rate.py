"""Learning rates of which a stage would never reach a part."""

from __future__ import annotations

import pytest

from tfopt.core.config.training.learning_rate import CosineRate, PiecewiseRate, rate_misfits
from tfopt.core.language.quantities import Span


def piecewise(*starts: str) -> PiecewiseRate:
    steps = [{"at": start, "rate": 0.1} for start in starts]
    return PiecewiseRate.model_validate({"kind": "piecewise", "initial": 1.0, "steps": steps})


@pytest.mark.parametrize(("warmup", "message"), [("99 steps", ""), ("10 epochs", "is 100 steps, but the stage has")])
def test_a_warm_up_is_shorter_than_its_stage(warmup: str, message: str) -> None:
    found = rate_misfits(CosineRate(kind="cosine", initial=1.0, warmup=Span.parse(warmup)), 100, 10)
    assert [mistake.path for mistake in found] == ([("warmup",)] if message else [])
    assert all(message in mistake.message for mistake in found)


@pytest.mark.parametrize(
    ("starts", "code"),
    [(("10 steps", "99 steps"), ""), (("20 steps", "10 steps"), "wrong_order"), (("100 steps",), "outside_stage")],
)
def test_steps_are_in_order_and_within_the_stage(starts: tuple[str, ...], code: str) -> None:
    assert [mistake.code for mistake in rate_misfits(piecewise(*starts), 100, 10)] == ([code] if code else [])


def test_a_number_fits_any_stage() -> None:
    assert rate_misfits(0.1, 1, 1) == []
