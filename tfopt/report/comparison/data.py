"""The values behind the figures of a comparison: families of variants, curves over seeds, sparsity by layer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from tfopt.core.records.dense import dense_stage
from tfopt.core.sweeps.verdicts import by_sparsity
from tfopt.report.run.curves import stage_points

if TYPE_CHECKING:
    from tfopt.core.records.report import LayerRecord, Report
    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison

_FINAL = re.compile(r"[ (]*\S*\bfinal=[\d.]+%?,?\)?")
_BUDGET = re.compile(r"[ (]*\S*\b(macs|parameters|bytes|latency)=[^ ]+( ?(ms|kB|MB|s)\b)?,?\)?")

Point = tuple[float, float]
"""(optimizer step since pruning began, value)."""


@dataclass(frozen=True)
class VariantCurves:
    """One variant from its first pruning stage on, as means over its seeds.

    Args:
        planned: planned sparsity.
        sparsity: measured sparsity.
        metric: the validation metric.
        low: its smallest value over the seeds.
        high: its largest.
    """

    planned: tuple[Point, ...]
    sparsity: tuple[Point, ...]
    metric: tuple[Point, ...]
    low: tuple[Point, ...]
    high: tuple[Point, ...]


@dataclass(frozen=True)
class LayerGrid:
    """Sparsity of each layer after the last stage; one row of values per variant, None where it has no such layer."""

    layers: tuple[str, ...]
    variants: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


def families(comparison: Comparison) -> dict[str, str]:
    """Each variant's name without its final sparsity: a family has one colour, and one line through its sparsities."""
    bare = {row.name: _FINAL.sub("", row.name).strip() or row.schedule or row.name for row in comparison.rows}
    grouped = by_sparsity(comparison.rows)
    crowded = {
        family for level in grouped for family in {bare[row.name] for row in level}
        if sum(bare[row.name] == family for row in level) > 1
    }  # fmt: skip
    return {name: name if family in crowded else family for name, family in bare.items()}


def drawn_families(comparison: Comparison) -> dict[str, str]:
    """`families`, where networks of several sizes that differ in nothing but their budget have one colour too."""
    named = families(comparison)
    bare = {row.name: _BUDGET.sub("", named[row.name]).strip() for row in comparison.rows}
    sizes: dict[str, list[float | None]] = {}
    for row in comparison.rows:
        sizes.setdefault(bare[row.name], []).append(row.macs)
    told_apart = {name for name, macs in sizes.items() if name and None not in macs and len(set(macs)) == len(macs)}
    return {name: bare[name] if bare[name] in told_apart else family for name, family in named.items()}


def dense_metric(candidates: Sequence[Candidate], metric: str) -> float | None:
    """Mean of the metric of the dense models that the variants started from."""
    values = [dense_stage(one.report.stages).measures.get(metric) for one in candidates if one.report.stages]
    present = [value for value in values if value is not None]
    return fmean(present) if present else None


def dense_macs(candidates: Sequence[Candidate]) -> float | None:
    """Operations of the dense model that the variants started from; None where they are not known or not the same."""
    found = {one.report.stages[0].macs for one in candidates if one.report.stages}
    return found.pop() if len(found) == 1 else None


def variant_curves(candidates: Sequence[Candidate], metric: str) -> dict[str, VariantCurves]:
    """Curves by variant; variants that never pruned are left out."""
    groups: dict[str, list[Report]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.group, []).append(candidate.report)
    curves = {}
    for name, reports in groups.items():
        planned = _values(reports, "planned_sparsity")
        if not planned:
            continue
        quality = _values(reports, f"val_{metric}")
        curves[name] = VariantCurves(
            planned=_reduced(planned, fmean),
            sparsity=_reduced(_values(reports, "sparsity"), fmean),
            metric=_reduced(quality, fmean),
            low=_reduced(quality, min),
            high=_reduced(quality, max),
        )
    return curves


def layer_grid(comparison: Comparison, candidates: Sequence[Candidate]) -> LayerGrid | None:
    """Sparsity per layer and variant, in the order of the table; None where nothing was pruned."""
    layers = list(dict.fromkeys(layer.name for one in candidates for layer in _last_layers(one.report)))
    rows = []
    for row in comparison.rows:
        found = [{layer.name: layer.sparsity for layer in _last_layers(one.report)}
                 for one in candidates if one.group == row.name]  # fmt: skip
        values = [[sparsities[name] for sparsities in found if name in sparsities] for name in layers]
        rows.append(tuple(fmean(several) if several else None for several in values))
    if not any(value for values in rows for value in values):
        return None
    return LayerGrid(tuple(layers), tuple(row.name for row in comparison.rows), tuple(rows))


def _last_layers(report: Report) -> Sequence[LayerRecord]:
    return report.stages[-1].layers if report.stages else ()


def _values(reports: Sequence[Report], key: str) -> dict[float, list[float]]:
    """Values of a history key by step, of all runs, from the first stage with a planned sparsity on."""
    found: dict[float, list[float]] = {}
    for report in reports:
        pruning = [any("planned_sparsity" in entry for entry in stage.history) for stage in report.stages]
        if True not in pruning:
            continue
        begin = 0.0
        for stage in report.stages[pruning.index(True) :]:
            for step, value in stage_points(stage, key):
                found.setdefault(begin + step, []).append(value)
            if stage.history:
                begin += stage.history[-1].get("step", len(stage.history))
    return found


def _reduced(values: Mapping[float, Sequence[float]], reduce: Callable[[Sequence[float]], float]) -> tuple[Point, ...]:
    return tuple((step, reduce(values[step])) for step in sorted(values))
