"""Runs that are to be compared, each with the name of its variant. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.core.language.axes import names_of
from tfopt.core.records.fingerprint import fingerprint
from tfopt.core.records.report import Report

if TYPE_CHECKING:
    from tfopt.core.recipe.recipe import Document

_NO_DIFFERENCE = ("seed", "description", "sweep", "budgets")
"""Keys of a recipe that make no other variant of it."""


@dataclass(frozen=True)
class Candidate:
    """One finished run.

    Args:
        group: name of the variant; runs of one group differ in nothing but the seed.
        document: the recipe as plain values.
        report: what came out.
        note: a remark on how it came about.
    """

    group: str
    document: Document
    report: Report
    note: str | None = None

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.report.run.seed


def candidates_of_runs(runs: Sequence[tuple[Mapping[str, object], Report]]) -> list[Candidate]:
    """Groups runs by the content of their recipes except the seed, and names the groups by what differs.

    Args:
        runs: recipe and report of each.
    """
    variants: dict[str, dict[str, object]] = {}
    keys = []
    for document, _ in runs:
        flat = flattened({key: value for key, value in document.items() if key not in _NO_DIFFERENCE})
        key = fingerprint(flat)
        keys.append(key)
        variants[key] = flat
    names = dict(zip(variants, _names(list(variants.values())), strict=True))
    return [
        Candidate(names[key] or str(document.get("name", "recipe")), document, report)
        for key, (document, report) in zip(keys, runs, strict=True)
    ]


def flattened(value: object, path: str = "") -> dict[str, object]:
    """Every scalar of a recipe by its path; stages by their names, as overrides call them."""
    if isinstance(value, Mapping) and value:
        parts = [flattened(part, f"{path}.{key}" if path else str(key)) for key, part in value.items()]
    elif path == "stages" and isinstance(value, (list, tuple)):
        parts = [
            flattened(config, f"stages.{config.get('name') or kind}")
            for entry in value
            for kind, config in entry.items()
        ]
    elif isinstance(value, (list, tuple)) and any(isinstance(part, (Mapping, list)) for part in value):
        parts = [flattened(part, f"{path}.{index}") for index, part in enumerate(value)]
    else:
        return {path: value}
    return {key: scalar for part in parts for key, scalar in part.items()}


def _names(variants: Sequence[Mapping[str, object]]) -> list[str]:
    """By the values that differ; by keys that only some have just where that is not enough."""
    shared = set.intersection(*(set(variant) for variant in variants)) if variants else set()
    common = [{path: value for path, value in variant.items() if path in shared} for variant in variants]
    enough = len({fingerprint(variant) for variant in common}) == len(variants)
    return names_of(common if enough else variants)
