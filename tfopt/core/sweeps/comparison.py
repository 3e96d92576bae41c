"""Runs or a sweep -> one table: a row per variant with its mean over the seeds, the Pareto front, and verdicts that say
when a difference is within the seeds' noise. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.records.dense import dense_stage
from tfopt.core.records.report import StageRecord
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.rows import COLUMNS, Row
from tfopt.core.sweeps.verdicts import Verdict, by_sparsity, verdict_on, worst_last
from tfopt.errors import UsageError

if TYPE_CHECKING:
    from tfopt.core.recipe.recipe import Document


@dataclass(frozen=True)
class Comparison:
    """A table with what can be said about it.

    Args:
        metric: the recipe's first metric.
        higher_is_better: its direction.
        export: the file whose metrics are compared; None where the runs have none in common.
        rows: the variants.
        verdicts: one per sparsity at which there are rivals.
        notes: remarks on the table.
    """

    metric: str
    higher_is_better: bool
    export: str | None
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()


def compare(candidates: Sequence[Candidate], export: str | None = None) -> Comparison:
    """One row per variant.

    Args:
        candidates: finished runs; of two with the same variant and seed, the later one counts.
        export: the file to compare; by default the last .tflite that all runs have.

    Raises:
        UsageError: nothing to compare, runs with different metrics, or a run without that file.
    """
    if not candidates:
        raise UsageError("There is no finished run to compare.", code="nothing_to_compare")
    metrics = list(dict.fromkeys(candidate.report.metric for candidate in candidates))
    if len(metrics) > 1:
        raise UsageError(
            f"Runs with different metrics cannot be compared: {', '.join(metrics)}.", code="not_comparable"
        )
    metric = metrics[0]
    file = _file(candidates, metric, export)
    groups: dict[str, dict[int, Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.group, {})[candidate.seed] = candidate
    better = higher_is_better(metric)
    rows = _with_front([_row(name, group, metric, file) for name, group in groups.items()], better)
    values = {
        name: {seed: value for seed, one in group.items() if (value := _metric(one, metric, file)) is not None}
        for name, group in groups.items()
    }
    verdicts = [verdict_on(level, values, better) for level in by_sparsity(rows)]
    ordered = sorted(rows, key=lambda row: (round(row.sparsity or 0.0, 2), worst_last(row.metric, better)))
    return Comparison(metric, better, file, tuple(ordered), tuple(v for v in verdicts if v), _notes(groups))


def sorted_by(comparison: Comparison, column: str) -> tuple[Row, ...]:
    """The rows by a column: best first for the metric, smallest first for everything else; missing values last.

    Raises:
        UsageError: there is no such column.
    """
    if column not in COLUMNS:
        raise UsageError(f"There is no column {column!r}. Columns: {', '.join(COLUMNS)}.", code="unknown_column")
    if column == "metric":
        return tuple(sorted(comparison.rows, key=lambda row: worst_last(row.metric, comparison.higher_is_better)))
    if column in ("on_front", "on_macs_front", "on_latency_front"):
        return tuple(sorted(comparison.rows, key=lambda row: not getattr(row, column)))
    return tuple(sorted(comparison.rows, key=lambda row: ((value := getattr(row, column)) is None, value)))


def _file(candidates: Sequence[Candidate], metric: str, wanted: str | None) -> str | None:
    measured = [[e.name for e in one.report.exports if metric in e.measures] for one in candidates]
    if wanted is not None:
        missing = next((one for one, names in zip(candidates, measured, strict=True) if wanted not in names), None)
        if missing is not None:
            known = [e.name for e in missing.report.exports if metric in e.measures]
            run = missing.report.run
            raise UsageError(
                f"Run {run.recipe}/{run.id} has no measured export {wanted!r}.",
                f"It has: {', '.join(known) or 'none'}.",
                code="run_not_found",
            )
        return wanted
    files = [e.name for e in candidates[0].report.exports if e.format == "tflite"]
    common = [name for name in files if all(name in names for names in measured)]
    return common[-1] if common else None


def _row(name: str, group: Mapping[int, Candidate], metric: str, file: str | None) -> Row:
    runs = [group[seed] for seed in sorted(group)]
    exports = [e for run in runs for e in run.report.exports if e.name == file]
    values = _present(_metric(run, metric, file) for run in runs)
    dense = [_present([dense_stage(run.report.stages).measures.get(metric)]) for run in runs if run.report.stages]
    last = _present(run.report.stages[-1].measures.get(metric) for run in runs if run.report.stages)
    if file is not None:
        drops = _present(e.measures.get(f"{metric}_drop") for e in exports)
    else:
        sign = 1 if higher_is_better(metric) else -1
        drops = [sign * (first[0] - value) for first, value in zip(dense, last, strict=True) if first]
    return Row(
        name=name,
        schedule=schedule_of(runs[0].document),
        allocation=allocation_of(runs[0].document),
        seeds=tuple(sorted(group)),
        sparsity=_mean(run.report.stages[-1].measures.get("sparsity") for run in runs if run.report.stages),
        metric=_mean(values),
        spread=stdev(values) if len(values) > 1 else None,
        drop=_mean(drops),
        bytes=_mean(e.bytes for e in exports),
        gzip_bytes=_mean(e.gzip_bytes for e in exports),
        latency_ms=_mean(e.measures.get("latency_ms") for e in exports),
        seconds=fmean(sum(stage.seconds for stage in run.report.stages) for run in runs),
        macs=_mean(macs_of(run.report.stages[-1]) for run in runs if run.report.stages),
    )


def macs_of(stage: StageRecord) -> float | None:
    """Multiply-accumulate operations after a stage; reports older than that figure have it of a shrink stage alone."""
    counted: int | None = stage.macs if stage.macs is not None else stage.details.get("shrink", {}).get("macs_after")
    return counted


def _metric(run: Candidate, metric: str, file: str | None) -> float | None:
    if file is not None:
        return next((e.measures.get(metric) for e in run.report.exports if e.name == file), None)
    return run.report.stages[-1].measures.get(metric) if run.report.stages else None


def schedule_of(document: Mapping[str, object]) -> str:
    """Kinds of the sparsity schedules of a recipe."""
    return " + ".join(str(config["schedule"].get("kind", "")) for config in _pruning(document))


def allocation_of(document: Mapping[str, object]) -> str:
    """How the recipe spreads sparsity over the layers."""
    names = []
    for config in _pruning(document):
        named = config.get("allocation")
        kind = named.get("kind", "") if isinstance(named, Mapping) else named
        names.append(f"{kind or 'uniform'}{' with rules' if config.get('layers') else ''}")
    return " + ".join(names)


def _pruning(document: Document) -> list[Mapping[str, Any]]:
    configs = [config for entry in document.get("stages", ()) for config in entry.values()]
    return [config for config in configs if isinstance(config, Mapping) and isinstance(config.get("schedule"), Mapping)]


def _with_front(rows: Sequence[Row], higher_is_better: bool) -> list[Row]:
    """Marks the rows that no other row beats in both metric and cost (Pareto, 1896), for each of three costs."""
    fronts = [
        _front(rows, higher_is_better, lambda row: row.gzip_bytes),
        _front(rows, higher_is_better, lambda row: row.macs),
        _front(rows, higher_is_better, lambda row: row.latency_ms),
    ]
    return [
        replace(row, on_front=by_size, on_macs_front=by_macs, on_latency_front=by_latency)
        for row, by_size, by_macs, by_latency in zip(rows, *fronts, strict=True)
    ]


def _front(rows: Sequence[Row], higher_is_better: bool, cost_of: Callable[[Row], float | None]) -> list[bool]:
    """Whether each row is on the front of metric and a cost; rows without one of them are not."""
    points = [
        None if row.metric is None or cost is None else (row.metric if higher_is_better else -row.metric, cost)
        for row in rows
        for cost in [cost_of(row)]
    ]
    known = [point for point in points if point is not None]
    return [
        point is not None
        and not any(good >= point[0] and cost <= point[1] and (good, cost) != point for good, cost in known)
        for point in points
    ]


def _notes(groups: Mapping[str, Mapping[int, Candidate]]) -> tuple[str, ...]:
    found = []
    seeds = {tuple(sorted(group)) for group in groups.values()}
    if len(seeds) > 1:
        found.append(
            "Not all variants have the same seeds; differences are taken over the seeds that two have in common."
        )
    reports = [one.report for group in groups.values() for one in group.values()]
    if len({report.data.fingerprint for report in reports}) > 1:
        found.append("The runs did not see the same data: their differences may come from that.")
    if len({report.environment.cpu for report in reports}) > 1:
        found.append("The runs were made on different processors: latencies and seconds cannot be compared.")
    found += [one.note for group in groups.values() for one in group.values() if one.note]
    return tuple(found)


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    present = _present(values)
    return fmean(present) if present else None
