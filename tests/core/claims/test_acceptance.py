from __future__ import annotations

from tfopt.core.claims.acceptance import judge_budgets, lost_traits
from tfopt.core.config.budgets import Budget
from tfopt.core.records.report import ExportRecord, LayerRecord


def layer(name: str, sparsity: float, unique: int = 50) -> LayerRecord:
    return LayerRecord(name=name, type="Dense", parameters=100, sparsity=sparsity, unique=unique)


def clustered(name: str, unique_per_channel: int, unique: int = 500) -> LayerRecord:
    return layer(name, 0, unique).model_copy(update={"clusters": 8, "unique_per_channel": unique_per_channel})


def export(**measures: float) -> ExportRecord:
    return ExportRecord(
        name="int8", format="tflite", path="export/int8.tflite", bytes=41_000, gzip_bytes=20_000, measures=measures
    )


def test_budgets_are_judged_by_what_was_measured() -> None:
    budgets = [
        Budget("int8", "bytes", 60_000, at_least=False),
        Budget("int8", "gzip_bytes", 10_000, at_least=False),
        Budget("int8", "accuracy", 0.9, at_least=True),
    ]
    found = judge_budgets(budgets, [export(accuracy=0.95)])
    assert [(record.name, record.value, record.met) for record in found] == [
        ("int8.bytes", 41_000, True),
        ("int8.gzip_bytes", 20_000, False),
        ("int8.accuracy", 0.95, True),
    ]


def test_a_budget_that_could_not_be_measured_is_not_met() -> None:
    (found,) = judge_budgets([Budget("int8", "latency_ms", 5, at_least=False)], [export()])
    assert found.value is None
    assert not found.met


def test_a_layer_that_lost_its_zeros_is_named() -> None:
    lost = lost_traits(
        frozenset({"sparse"}),
        [layer("conv", 0.8), layer("dense", 0.8)],
        [layer("conv", 0.798), layer("dense", 0.1)],
    )
    assert lost == ["sparsity of dense fell from 80.0% to 10.0%"]


def test_a_layer_that_lost_its_clusters_is_named() -> None:
    lost = lost_traits(frozenset({"clustered"}), [clustered("conv", 8)], [clustered("conv", 94)])
    assert lost == ["conv had 8 unique values per channel and has 94"]


def test_clusters_are_counted_per_channel_and_only_in_clustered_layers() -> None:
    before = [clustered("conv", 8, unique=8), layer("skipped", 0, unique=50)]
    after = [clustered("conv", 8, unique=256), layer("skipped", 0, unique=400)]
    assert lost_traits(frozenset({"clustered"}), before, after) == []


def test_what_is_not_claimed_is_not_judged() -> None:
    assert lost_traits(frozenset(), [layer("conv", 0.8)], [layer("conv", 0.0)]) == []
