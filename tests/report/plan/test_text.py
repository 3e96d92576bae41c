"""The table of stages in a plan's text."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from tfopt.core.recipe.plan import PlannedSource, PlannedStage
from tfopt.report.plan.text import _stages


def stage(name: str, status: str, *sources: PlannedSource) -> PlannedStage:
    return PlannedStage(name, name, "a" * 64, status, epochs=1, steps=6, sources=sources)  # type: ignore[arg-type]


def shown(*stages: PlannedStage) -> list[str]:
    text = StringIO()
    Console(file=text, width=120).print(_stages(stages))
    return [line.split()[0] for line in text.getvalue().splitlines() if "aaaa" in line]


def test_what_makes_a_model_from_elsewhere_stands_before_the_stage_that_needs_it() -> None:
    member = (stage("train", "will run"), stage("prune", "will run"))
    missing = PlannedSource("recipe member.yaml", "recipe", "b" * 64, "will run", "member-seed-5", member)
    there = PlannedSource("seed 2", "seed", "c" * 64, "cached", "student-seed-2", (stage("train", "cached"),))
    file = PlannedSource("file a.h5", "file", "d" * 64, "cached", file="a.h5")
    ensemble = stage("ensemble", "will run", missing, there, file, missing)
    assert shown(stage("train", "cached"), ensemble) == [
        "train",
        "member-seed-5/train",
        "member-seed-5/prune",
        "student-seed-2/train",
        "ensemble",
    ]
    assert shown(stage("ensemble", "cached", missing)) == ["ensemble"]
