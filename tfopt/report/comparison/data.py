"""The plain values behind the figures and sentences of a comparison. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from tfopt.core.sweeps.verdicts import by_sparsity
from tfopt.report.run.curves import stage_points
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.report import LayerRecord, Report
    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.verdicts import Rival, Verdict

_FINAL = re.compile(r"[ (]*\S*\bfinal=[\d.]+%?,?\)?")

_FEW_SEEDS = 3

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
    """What a variant is but for its final sparsity: a family has one colour, and one line through its sparsities."""
    bare = {row.name: _FINAL.sub("", row.name).strip() or row.schedule or row.name for row in comparison.rows}
    grouped = by_sparsity(comparison.rows)
    crowded = {
        family for level in grouped for family in {bare[row.name] for row in level}
        if sum(bare[row.name] == family for row in level) > 1
    }  # fmt: skip
    return {name: name if family in crowded else family for name, family in bare.items()}


def dense_metric(candidates: Sequence[Candidate], metric: str) -> float | None:
    """Mean of the metric of the dense models that the variants started from."""
    values = [one.report.stages[0].measures.get(metric) for one in candidates if one.report.stages]
    present = [value for value in values if value is not None]
    return fmean(present) if present else None


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


def verdict_sentences(comparison: Comparison) -> tuple[str, ...]:
    """What can be said about the variants, one paragraph per sparsity."""
    names = families(comparison)
    return tuple(_paragraph(verdict, comparison, names) for verdict in comparison.verdicts)


def _paragraph(verdict: Verdict, comparison: Comparison, names: Mapping[str, str]) -> str:
    metric = comparison.metric
    place = "" if verdict.sparsity is None else f"At {formats.share(verdict.sparsity, 0)} sparsity, "
    extreme = "highest" if comparison.higher_is_better else "lowest"
    value = formats.measure(metric, verdict.metric)
    sentences = [f"{place}{names[verdict.best]} has the {extreme} {_words(metric)} ({value})."]
    untested = [rival for rival in verdict.rivals if rival.difference is None or rival.difference.test is None]
    tested = [rival for rival in verdict.rivals if rival not in untested]
    for wanted, judgement in ((True, "worse by more than"), (False, "not shown to differ by more than")):
        found = [
            f"{names[rival.name]} ({_signed(rival.difference.mean, metric)}, p = {_p(rival.p_value)})"
            for rival in tested
            if rival.beyond_noise is wanted and rival.difference is not None
        ]
        if found:
            sentences.append(f"{_joined(found)} {'is' if len(found) == 1 else 'are'} {judgement} the seeds' noise.")
    if untested:
        others = _joined([names[rival.name] for rival in untested])
        verb = "differs" if len(untested) == 1 else "differ"
        sentences.append(f"Whether {others} {verb} by more than noise cannot be told: {_why(untested)}.")
    if tested:
        sentences.append(_how(tested, len(verdict.rivals)))
    return " ".join(sentences)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _why(rivals: Sequence[Rival]) -> str:
    differences = [rival.difference for rival in rivals]
    if any(difference is None for difference in differences):
        return "they share no seed with it"
    if any(difference is not None and difference.num_pairs > 1 for difference in differences):
        return "the difference is the same for every seed, so the seeds show no noise to hold it against"
    return "one seed shows no noise; add seeds (--seeds 3)"


def _how(tested: Sequence[Rival], num_rivals: int) -> str:
    first = next(rival.difference for rival in tested if rival.difference is not None)
    pairs = sorted({rival.difference.num_pairs for rival in tested if rival.difference is not None})
    seeds = str(pairs[0]) if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}"
    corrected = f", corrected for {num_rivals} comparisons (Holm)" if num_rivals > 1 else ""
    power = " So few seeds can only show large differences." if pairs[-1] <= _FEW_SEEDS else ""
    return f"Two-sided {first.test} over {seeds} common seeds{corrected}.{power}"


def _signed(value: float, metric: str) -> str:
    if formats.is_share(metric):
        return f"{100 * value:+.2f} points"
    return f"{value:+.3g}"


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}" if value >= 0.0001 else "below 0.0001"


def _words(name: str) -> str:
    return name.replace("_", " ")


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
