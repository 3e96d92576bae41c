"""What can be named in a recipe, as rows of (name, summary, origin, arguments); nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tfopt.catalog.entries import Kind, find
from tfopt.core.config.schedules import ScheduleBase, Threshold, schedule_kinds
from tfopt.core.targets.table import TARGETS
from tfopt.io.recipes.yaml import read_top_key

Row = tuple[str, str, str, tuple[str, ...]]
"""Name, summary, origin, arguments."""

RECIPES = Path("recipes")
"""Where `tfopt ls recipes` looks, from the current folder."""


def _entries(kind: Kind) -> Callable[[], list[Row]]:
    def rows() -> list[Row]:
        return [(entry.name, entry.summary, entry.origin, entry.arguments) for entry in find(kind).values()]

    return rows


def _schedules() -> list[Row]:
    kinds: dict[str, type[ScheduleBase]] = {**schedule_kinds(), "threshold": Threshold}
    return [(name, (kind.__doc__ or "").strip().splitlines()[0], "tfopt", _keys(kind)) for name, kind in kinds.items()]


def _keys(schedule: type[ScheduleBase]) -> tuple[str, ...]:
    """The keys of a schedule, its own first, then those that most kinds share."""
    own = [key for key in schedule.model_fields if key not in ("kind", "begin", "end", "every")]
    return (*own, *(key for key in ("begin", "end", "every") if key in schedule.model_fields))


def _targets() -> list[Row]:
    return [(name, f"{target.meaning}. {target.not_checked}", "tfopt", ()) for name, target in TARGETS.items()]


def _recipes() -> list[Row]:
    rows: list[Row] = []
    for path in sorted(RECIPES.glob("*.yaml")):
        description = read_top_key(path, "description")
        rows.append((str(path), "" if description is None else str(description), "here", ()))
    return rows


LISTERS: Mapping[str, Callable[[], list[Row]]] = {
    "models": _entries("models"),
    "datasets": _entries("datasets"),
    "stages": _entries("stages"),
    "schedules": _schedules,
    "exports": _entries("exports"),
    "criteria": _entries("criteria"),
    "targets": _targets,
    "recipes": _recipes,
}
"""A function for each kind."""
