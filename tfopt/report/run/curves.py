"""The values behind every curve of a run and of a plan, for terminal plots and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfopt.core.config.schedules import ResolvedSchedule
    from tfopt.core.recipe.plan import PlannedStage
    from tfopt.core.records.report import Report, StageRecord

Point = tuple[float, float]
"""(optimizer step, value)."""


@dataclass(frozen=True)
class Line:
    """One curve in pieces: one per stage, so that no line is drawn where nothing was measured.

    Args:
        key: name in the stages' history.
        label: for the legend.
        segments: the pieces.
    """

    key: str
    label: str
    segments: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True)
class StageSpan:
    """First and last optimizer step of a stage, counted from the start of the run."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True)
class Curves:
    """Curves over the steps of all stages."""

    measure: str
    stages: tuple[StageSpan, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ScheduleCurve:
    """A planned sparsity schedule, ready to be drawn.

    Args:
        layers: layers that follow it; empty for the stage's own.
        points: (step of the stage, sparsity).
        begin: first step at which masks are updated.
        end: last step at which masks are updated.
        every: steps between mask updates; None where they are not evenly spaced.
        num_mask_updates: how many there are.
        total_steps: steps of the stage.
        final: sparsity at the end; with a threshold, the most that it can be.
        below: the threshold of a schedule of kind threshold; None for the others.
    """

    layers: tuple[str, ...]
    points: tuple[Point, ...]
    begin: int
    end: int
    every: int | None
    num_mask_updates: int
    total_steps: int
    final: float
    below: float | None = None


def stage_spans(report: Report) -> tuple[StageSpan, ...]:
    """The trained stages one after the other on one axis of steps."""
    spans = []
    begin = 0
    for stage in report.stages:
        if stage.history:
            end = begin + int(stage.history[-1].get("step", len(stage.history)))
            spans.append(StageSpan(stage.name, begin, end))
            begin = end
    return tuple(spans)


def training_curves(report: Report) -> tuple[Curves, ...]:
    """The recipe's metric and the loss, training and validation, across all stages; empty ones left out."""
    return tuple(
        curves
        for measure in (report.metric, "loss")
        if (curves := _curves(report, measure, ((measure, "training"), (f"val_{measure}", "validation")))).lines
    )


def sparsity_curves(report: Report) -> Curves | None:
    """Planned and measured sparsity across all stages; None where no stage had a plan or a zero."""
    curves = _curves(report, "sparsity", (("planned_sparsity", "planned"), ("sparsity", "measured")))
    values = [value for line in curves.lines for segment in line.segments for _, value in segment]
    return curves if any(values) else None


def stage_points(stage: StageRecord, key: str) -> tuple[Point, ...]:
    """Values of a history key by step of the stage; a planned sparsity in full where the stage has left its curve."""
    if key == "planned_sparsity" and stage.details.get("planned_curve"):
        last = stage.history[-1].get("step", math.inf) if stage.history else math.inf
        return tuple((step, value) for step, value in stage.details["planned_curve"] if step <= last)
    return tuple(
        (entry.get("step", index + 1), entry[key])
        for index, entry in enumerate(stage.history)
        if key in entry and math.isfinite(entry[key])
    )


def _curves(report: Report, measure: str, keys: Sequence[tuple[str, str]]) -> Curves:
    spans = stage_spans(report)
    trained = [stage for stage in report.stages if stage.history]
    lines = []
    for key, label in keys:
        segments = []
        for stage, span in zip(trained, spans, strict=True):
            points = stage_points(stage, key)
            if points:
                segments.append(tuple((span.begin + step, value) for step, value in points))
        if segments:
            lines.append(Line(key, label, tuple(segments)))
    return Curves(measure, spans, tuple(lines))


def schedule_curves(stage: PlannedStage, points: int = 60) -> tuple[ScheduleCurve, ...]:
    """The distinct sparsity schedules of a planned stage, its own first, then those of single layers.

    Args:
        stage: from a plan.
        points: how many points each curve gets, evenly spaced.
    """
    groups: list[tuple[ResolvedSchedule, list[str]]] = []
    for layer, schedule in sorted(stage.schedules.items(), key=lambda item: item[0] != ""):
        for known, layers in groups:
            if known == schedule:
                layers.append(layer)
                break
        else:
            groups.append((schedule, [layer]))
    return tuple(
        ScheduleCurve(
            layers=() if "" in layers else tuple(layers),
            points=tuple(schedule.curve(points)),
            begin=schedule.begin,
            end=schedule.end,
            every=schedule.every,
            num_mask_updates=len(schedule.mask_updates),
            total_steps=schedule.total_steps,
            final=schedule.sparsity_at(schedule.total_steps),
            below=getattr(schedule.schedule, "below", None),
        )
        for schedule, layers in groups
    )
