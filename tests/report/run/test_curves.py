"""Curves over the steps of all stages."""

from __future__ import annotations

from tests.support.sample_report import sample_report
from tfopt.core.config.schedules import Constant, Polynomial
from tfopt.core.language.quantities import Span
from tfopt.core.recipe.plan import PlannedStage
from tfopt.core.records.report import Report, RunInfo
from tfopt.report.run.curves import (
    StageSpan,
    schedule_curves,
    sparsity_curves,
    stage_points,
    stage_spans,
    training_curves,
)


def test_stages_lie_one_after_the_other() -> None:
    assert stage_spans(sample_report()) == (
        StageSpan("train", 0, 300), StageSpan("prune", 300, 500), StageSpan("qat", 500, 600)
    )  # fmt: skip


def test_metric_and_loss_come_in_one_piece_per_stage() -> None:
    metric, loss = training_curves(sample_report())
    assert (metric.measure, loss.measure) == ("accuracy", "loss")
    assert [line.label for line in metric.lines] == ["training", "validation"]
    assert [len(segment) for segment in metric.lines[0].segments] == [15, 10, 5]
    assert metric.lines[0].segments[1][0][0] == 320


def test_values_that_are_not_numbers_are_left_out() -> None:
    report = sample_report()
    stage = report.stages[0].model_copy(
        update={"history": [{"step": 1.0, "loss": float("nan")}, {"step": 2.0, "loss": 1.0}]}
    )
    (curves,) = training_curves(report.model_copy(update={"stages": [stage]}))
    assert curves.lines[0].segments == (((2.0, 1.0),),)


def test_planned_and_measured_sparsity() -> None:
    curves = sparsity_curves(sample_report())
    assert curves is not None
    planned, measured = curves.lines
    assert [len(planned.segments), len(measured.segments)] == [1, 2]
    assert max(value for _, value in planned.segments[0]) == 0.8


def test_a_dense_run_has_no_sparsity_curve() -> None:
    report = Report(run=RunInfo(id="1", recipe="empty", state="done", seconds=0.0, seed=0))
    assert sparsity_curves(report) is None
    assert training_curves(report) == ()


def test_layers_with_the_same_schedule_share_a_curve() -> None:
    own = Polynomial(final=0.8, every=Span(20, "steps")).resolve(200, 20)
    other = Constant(final=0.5, begin=Span(0.1, "%")).resolve(200, 20)
    stage = PlannedStage(
        "prune", "prune", "k", "will run", schedules={"conv": other, "": own, "hidden": own, "conv_1": other}
    )
    first, second = schedule_curves(stage, points=11)
    assert (first.layers, second.layers) == ((), ("conv", "conv_1"))
    assert (first.begin, first.end, first.every, first.total_steps, first.final) == (0, 140, 20, 200, 0.8)
    assert first.points[0] == (0, 0.0)
    assert second.points[-1] == (200, 0.5)
    assert len(first.points) == 11


def test_a_planned_curve_is_drawn_in_full_as_far_as_the_stage_went() -> None:
    stage = sample_report().stages[1]
    last = stage.history[-1]["step"]
    planned = [[0, 0.0], [last / 2, 0.4], [last, 0.8], [last * 2, 0.8]]
    full = stage.model_copy(update={"details": {"planned_curve": planned}})
    assert stage_points(full, "planned_sparsity") == ((0, 0.0), (last / 2, 0.4), (last, 0.8))
    assert len(stage_points(stage, "planned_sparsity")) == len(stage.history)
