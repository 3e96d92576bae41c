from __future__ import annotations

from itertools import pairwise
from math import cos, pi
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tfopt.core.config.schedules import (
    Cosine,
    Cyclic,
    Exponential,
    Iterative,
    LevelState,
    Linear,
    Metric,
    OneShot,
    Polynomial,
    Schedule,
    ScheduleBase,
    SparsityLevels,
    Stepwise,
    schedule_kinds,
)
from tfopt.core.language.quantities import Span

STEPS_PER_EPOCH = 10
RISING = ("polynomial", "constant", "linear", "cosine", "exponential", "one_shot", "iterative", "metric")
WINDOWED = ("polynomial", "constant", "linear", "cosine", "exponential", "iterative", "cyclic", "metric")
EVEN = ("polynomial", "constant", "linear", "cosine", "exponential")


def parse(written: dict[str, Any]) -> ScheduleBase:
    return TypeAdapter(Schedule).validate_python(written)


SHARES = st.integers(0, 9990).map(lambda number: number / 10_000)


@st.composite
def schedules(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(schedule_kinds())) -> tuple[ScheduleBase, int]:
    """Any schedule that fits into its stage, and the steps of the stage."""
    kind = draw(st.sampled_from(kinds))
    epochs = draw(st.integers(12, 40))
    final = draw(SHARES)
    begin = draw(st.integers(0, 2))
    written: dict[str, Any] = {"kind": kind, "begin": f"{begin} epochs"}
    if kind == "stepwise":
        at = sorted(draw(st.sets(st.integers(0, epochs * STEPS_PER_EPOCH - 1), min_size=1, max_size=5)))
        del written["begin"]
        written["steps"] = [{"at": f"{step} steps", "sparsity": draw(SHARES)} for step in at]
    else:
        written["final"] = final
    if "initial" in schedule_kinds()[kind].model_fields:
        written["initial"] = draw(st.integers(0, round(final * 10_000))) / 10_000
    if kind in WINDOWED:
        written["end"] = f"{draw(st.integers(10, epochs))} epochs"
    if kind in EVEN and draw(st.booleans()):
        written["every"] = f"{draw(st.integers(1, 80))} steps"
    return parse(written), epochs * STEPS_PER_EPOCH


@given(schedules())
def test_sparsity_is_a_share_that_changes_at_updates_only_and_ends_at_final(drawn: tuple[ScheduleBase, int]) -> None:
    schedule, total = drawn
    resolved = schedule.resolve(total, STEPS_PER_EPOCH)
    values = [resolved.sparsity_at(step) for step in range(total + 1)]
    updated = {step for step, _ in resolved.mask_updates}
    assert all(0 <= value < 1 for value in values)
    assert all(a == b or step in updated for step, (a, b) in enumerate(pairwise(values), start=1))
    assert values[-1] == pytest.approx(schedule.final_sparsity(), abs=1e-12)
    assert [step for step, _ in resolved.mask_updates] == sorted(updated)
    assert all(resolved.begin <= step <= resolved.end < total + 1 for step in updated)
    assert all(value == 0 for value in values[: resolved.begin])


@given(schedules(RISING))
def test_kinds_that_never_give_zeros_back_never_fall(drawn: tuple[ScheduleBase, int]) -> None:
    schedule, total = drawn
    resolved = schedule.resolve(total, STEPS_PER_EPOCH)
    values = [sparsity for _, sparsity in resolved.mask_updates]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(values))


@given(schedules(WINDOWED))
def test_begin_and_end_mean_the_same_for_all(drawn: tuple[ScheduleBase, int]) -> None:
    schedule, total = drawn
    resolved = schedule.resolve(total, STEPS_PER_EPOCH)
    assert resolved.begin == schedule.begin.steps(total, STEPS_PER_EPOCH)
    assert resolved.end <= schedule.end.steps(total, STEPS_PER_EPOCH)
    assert resolved.end > schedule.end.steps(total, STEPS_PER_EPOCH) - (resolved.every or 1)


@given(schedules(EVEN))
def test_every_means_the_same_for_all(drawn: tuple[ScheduleBase, int]) -> None:
    schedule, total = drawn
    resolved = schedule.resolve(total, STEPS_PER_EPOCH)
    steps = [step for step, _ in resolved.mask_updates]
    assert {later - earlier for earlier, later in pairwise(steps)} == {resolved.every}
    assert (steps[0], steps[-1]) == (resolved.begin, resolved.end)


@given(schedules())
def test_a_schedule_is_the_same_after_being_written_and_read(drawn: tuple[ScheduleBase, int]) -> None:
    schedule, _ = drawn
    assert parse(schedule.model_dump(mode="json")) == schedule


@pytest.mark.parametrize("unit", ["25%", "5 epochs", "50 steps"])
def test_a_point_may_be_written_in_any_unit(unit: str) -> None:
    assert Linear(final=0.8, begin=unit, end="75%").resolve(200, STEPS_PER_EPOCH).begin == 50  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (Polynomial(initial=0.2, final=0.8, power=2), lambda p: 0.8 - 0.6 * (1 - p) ** 2),
        (Linear(initial=0.2, final=0.8), lambda p: 0.2 + 0.6 * p),
        (Cosine(initial=0.2, final=0.8), lambda p: 0.2 + 0.6 * (1 - cos(pi * p)) / 2),
        (Exponential(initial=0.2, final=0.8), lambda p: 1 - 0.8 ** (1 - p) * 0.2**p),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_ramp_follows_its_formula(schedule: ScheduleBase, formula: Any) -> None:
    resolved = schedule.resolve(100, STEPS_PER_EPOCH)
    assert resolved.begin == 0
    assert resolved.end == 70
    for step in range(101):
        assert resolved.sparsity_at(step) == pytest.approx(formula(min(step / 70, 1)))


def test_a_polynomial_of_power_one_is_linear() -> None:
    line = Linear(initial=0.1, final=0.9).resolve(100, STEPS_PER_EPOCH)
    other = Polynomial(initial=0.1, final=0.9, power=1).resolve(100, STEPS_PER_EPOCH)
    assert [value for _, value in other.mask_updates] == pytest.approx([value for _, value in line.mask_updates])


def test_exponential_removes_the_same_share_each_time() -> None:
    kept = [1 - value for _, value in Exponential(final=0.9).resolve(100, STEPS_PER_EPOCH).mask_updates]
    assert [later / earlier for earlier, later in pairwise(kept)] == pytest.approx([0.1 ** (1 / 70)] * 70)


def test_one_shot_prunes_once() -> None:
    resolved = OneShot(final=0.8, begin=Span(30, "steps")).resolve(100, STEPS_PER_EPOCH)
    assert resolved.mask_updates == ((30, 0.8),)
    assert resolved.begin == resolved.end == 30


def test_iterative_has_its_rounds_from_begin_to_end() -> None:
    resolved = Iterative(final=0.784, rounds=3, begin=Span(10, "steps"), end=Span(50, "steps")).resolve(100, 10)
    assert [step for step, _ in resolved.mask_updates] == [10, 30, 50]
    assert [value for _, value in resolved.mask_updates] == pytest.approx([0.4, 0.64, 0.784])


def test_cyclic_is_really_dense_in_between_and_ends_sparse() -> None:
    resolved = Cyclic(final=0.9, cycles=2, begin=Span(20, "steps"), end=Span(60, "steps")).resolve(100, 10)
    assert resolved.mask_updates == ((20, 0.9), (30, 0.0), (40, 0.9), (50, 0.0), (60, 0.9))


def test_stepwise_holds_each_sparsity_from_its_point_on() -> None:
    steps = [
        {"at": "10%", "sparsity": "50%"},
        {"at": "3 epochs", "sparsity": "0%"},
        {"at": "55 steps", "sparsity": "80%"},
    ]
    resolved = parse({"kind": "stepwise", "steps": steps, "every": "20 steps"}).resolve(100, 10)
    assert resolved.mask_updates == ((10, 0.5), (30, 0.0), (50, 0.0), (55, 0.8))


def test_metric_plans_one_level_per_epoch() -> None:
    resolved = Metric(final=0.784, rungs=3, begin=Span(2, "epochs"), end=Span(6, "epochs")).resolve(100, 10)
    assert [step for step, _ in resolved.mask_updates] == [21, 31, 41]
    assert [value for _, value in resolved.mask_updates] == pytest.approx([0.4, 0.64, 0.784])
    assert (resolved.begin, resolved.end) == (20, 60)


def test_metric_begins_at_its_initial_sparsity() -> None:
    resolved = Metric(initial=0.5, final=0.5, rungs=1).resolve(100, 10)
    assert resolved.mask_updates == ((0, 0.5), (11, 0.5))


LEVELS = SparsityLevels((0.0, 0.5, 0.8), tolerance=0.1, higher_is_better=True)


@pytest.mark.parametrize(
    ("state", "value", "after"),
    [
        (LevelState(), 0.9, LevelState(1, 0.9)),
        (LevelState(1, 0.9), 0.82, LevelState(2, 0.9)),
        (LevelState(1, 0.9), 0.80, LevelState(1, 0.9)),
        (LevelState(1, 0.9), 0.95, LevelState(2, 0.95)),
        (LevelState(2, 0.9), 0.95, LevelState(2, 0.95)),
        (LevelState(1, 0.9), float("nan"), LevelState(1, 0.9)),
        (LevelState(), float("nan"), LevelState()),
    ],
)
def test_the_level_rises_while_the_metric_is_within_the_tolerance(
    state: LevelState, value: float, after: LevelState
) -> None:
    assert LEVELS.advance(state, value) == after


def test_the_ladder_knows_that_a_loss_should_fall() -> None:
    levels = SparsityLevels((0.0, 0.5), tolerance=0.1, higher_is_better=False)
    assert levels.advance(LevelState(0, 1.0), 1.05).level == 1
    assert levels.advance(LevelState(0, 1.0), 1.15).level == 0


def test_recording_a_value_never_raises_the_level() -> None:
    assert LEVELS.record(LevelState(0, 0.5), 0.9) == LevelState(0, 0.9)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_the_level_rises_one_at_a_time_and_never_falls(values: list[float]) -> None:
    states = [LevelState()]
    for value in values:
        states.append(LEVELS.advance(states[-1], value))
    assert all(later.level - earlier.level in (0, 1) for earlier, later in pairwise(states))
    assert all(0 <= LEVELS.sparsity(state) < 1 for state in states)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"kind": "linear", "final": 0.8, "begin": "100%"}, "begin is step 100 .100%., .*pruning would never begin"),
        (
            {"kind": "cosine", "final": 0.8, "end": "11 epochs"},
            "end is step 110 .11 epochs., .*80% would never be reached",
        ),
        ({"kind": "exponential", "final": 0.8, "begin": "60%", "end": "50%"}, "must come after begin .step 60, 60%"),
        (
            {"kind": "constant", "final": 0.8, "every": "71 steps"},
            "every is 71 steps .*the masks would never be updated",
        ),
        ({"kind": "one_shot", "final": 0.8, "begin": "10 epochs"}, "begin is step 100 .* never begin"),
        ({"kind": "iterative", "final": 0.8, "rounds": 99}, "rounds is 99, but begin and end are only 70 steps apart"),
        (
            {"kind": "cyclic", "final": 0.8, "cycles": 99},
            "cycles is 99, which makes 198 phases, .* only 70 steps apart",
        ),
        ({"kind": "metric", "final": 0.8, "rungs": 9}, "rungs is 9, but only 6 epochs end between .*80% would never"),
        (
            {"kind": "stepwise", "steps": [{"at": "9%", "sparsity": 0.1}, {"at": "9 steps", "sparsity": 0.2}]},
            r"steps\[1\].at .step 9, 9 steps. must come after the one before .step 9, 9%.",
        ),
        (
            {"kind": "stepwise", "steps": [{"at": "9%", "sparsity": 0.1}, {"at": "100%", "sparsity": 0.2}]},
            r"steps\[1\].at is step 100 .*this sparsity would never come",
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_what_does_not_fit_into_the_stage_is_refused(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(written).resolve(100, STEPS_PER_EPOCH)


@pytest.mark.parametrize("kind", [kind for kind in schedule_kinds() if kind != "stepwise"])
def test_all_zeros_is_no_sparsity(kind: str) -> None:
    with pytest.raises(ValidationError, match="below 100%"):
        parse({"kind": kind, "final": "100%"})


@pytest.mark.parametrize("kind", ["polynomial", "linear", "cosine", "exponential", "metric"])
def test_a_ramp_does_not_fall(kind: str) -> None:
    with pytest.raises(ValidationError, match=r"initial is 90%, above final .80%."):
        parse({"kind": kind, "initial": "90%", "final": "80%"})


@pytest.mark.parametrize("key", ["every", "end"])
def test_a_key_that_a_kind_has_no_use_for_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        parse({"kind": "one_shot", "final": 0.8, key: "10%"})


def test_a_curve_has_as_many_points_as_asked() -> None:
    curve = Stepwise.model_validate({"steps": [{"at": "50%", "sparsity": 0.5}]}).resolve(100, 10).curve(11)
    assert len(curve) == 11
    assert (curve[0], curve[4], curve[5], curve[10]) == ((0, 0.0), (40, 0.0), (50, 0.5), (100, 0.5))
