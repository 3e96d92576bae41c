"""Verdicts on what came out: budgets met, traits kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.config.budgets import Budget
from tfopt.core.config.traits import Trait
from tfopt.core.records.report import BudgetRecord, ExportRecord, LayerRecord

SPARSITY_TOLERANCE = 0.005
"""Half a point: what a layer's sparsity may differ between two measurements of the same zeros."""


def judge_budgets(budgets: Sequence[Budget], exports: Sequence[ExportRecord]) -> list[BudgetRecord]:
    """Each budget with the value that was measured; a value that is missing does not meet its budget."""
    by_name = {record.name: record for record in exports}
    return [_judge(budget, by_name.get(budget.export)) for budget in budgets]


def _judge(budget: Budget, record: ExportRecord | None) -> BudgetRecord:
    value = None if record is None else measured(record, budget.measure)
    met = value is not None and budget.met_by(value)
    return BudgetRecord(name=budget.name, limit=budget.limit, value=value, met=met)


def measured(record: ExportRecord, measure: str) -> float | None:
    """A measure of an export by the name that budgets use."""
    sizes = {
        "bytes": record.bytes,
        "gzip_bytes": record.gzip_bytes,
        "zstd_bytes": record.zstd_bytes,
        "entropy_bytes": record.entropy_bytes,
    }
    return sizes[measure] if measure in sizes else record.measures.get(measure)


def lost_traits(kept: frozenset[Trait], before: Sequence[LayerRecord], after: Sequence[LayerRecord]) -> list[str]:
    """Layers that lost what a stage claims to keep, as phrases; empty when all is kept."""
    now = {layer.name: layer for layer in after}
    lost: list[str] = []
    for layer in before:
        found = now.get(layer.name)
        if found is None:
            continue
        if "sparse" in kept and found.sparsity < layer.sparsity - SPARSITY_TOLERANCE:
            lost.append(f"sparsity of {layer.name} fell from {layer.sparsity:.1%} to {found.sparsity:.1%}")
        if "clustered" in kept and layer.clusters is not None and _unique(found) > _unique(layer):
            lost.append(f"{layer.name} had {_unique(layer)} unique values per channel and has {_unique(found)}")
    return lost


def _unique(layer: LayerRecord) -> int:
    """Unique values in a channel: scaling a channel, as folding batch normalization does, leaves their number alone."""
    return layer.unique if layer.unique_per_channel is None else layer.unique_per_channel
