"""Anything tfopt returns as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfopt.core.recipe.plan import Plan, PlannedStage


def json_text(value: object) -> str:
    """A JSON document, indented; the same value always gives the same text."""
    return json.dumps(plain(value), indent=1, allow_nan=False)


def plain(value: object) -> Any:
    """`value` as dicts, lists, strings, numbers and None; numbers that JSON does not have become None.

    Raises:
        TypeError: a value that has no plain form.
    """
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, by_alias=True, inf_nan_mode="null", fallback=_mapping)


def _mapping(value: object) -> dict[object, object]:
    """Mappings that pydantic does not know, such as MappingProxyType, as dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")


def plan_document(plan: Plan) -> dict[str, object]:
    """A plan with its recipe as written in YAML and its schedules as points."""
    from tfopt.core.records.layer_support import totals

    return {
        "recipe": plan.recipe.to_document(),
        "data": plan.data,
        "model_key": plan.model_key,
        "stages": [_planned_stage(stage) for stage in plan.stages],
        "layers": plan.layers,
        "totals": totals(plan.layers),
        "files": plan.files,
        "warnings": plan.warnings,
    }


def _planned_stage(stage: PlannedStage) -> dict[str, Any]:
    from tfopt.report.run.curves import schedule_curves

    document: dict[str, Any] = plain(
        {field.name: getattr(stage, field.name) for field in fields(stage) if field.name != "schedules"}
    )
    return document | {"schedules": plain(schedule_curves(stage))}
