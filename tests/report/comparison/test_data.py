"""The values behind the figures of a comparison."""

from __future__ import annotations

import pytest

from tests.core.sweeps.test_comparison import narrowed
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import Comparison, compare
from tfopt.report.comparison.data import drawn_families, families, layer_grid, variant_curves


def test_variants_that_differ_only_in_their_final_sparsity_are_one_family(table: Comparison) -> None:
    assert set(families(table).values()) == {"polynomial", "constant"}


def test_curves_begin_with_pruning_and_are_means_over_the_seeds(found: list[Candidate]) -> None:
    curve = variant_curves(found, "accuracy")["polynomial final=80%"]
    assert [step for step, _ in curve.planned] == [20, 40, 60, 80, 100, 120]
    assert curve.planned[-1][1] == pytest.approx(0.8)
    assert len(curve.metric) == 12
    assert all(
        low <= middle <= high
        for (_, low), (_, middle), (_, high) in zip(curve.low, curve.metric, curve.high, strict=True)
    )


def test_the_heat_map_has_a_value_per_layer_and_variant(table: Comparison, found: list[Candidate]) -> None:
    grid = layer_grid(table, found)
    assert grid is not None
    assert grid.layers == ("conv", "conv_1", "hidden", "logits")
    assert grid.values[0] == pytest.approx((0.65, 0.8, 0.84, 0.5))


def test_networks_that_differ_in_their_budget_alone_have_one_colour() -> None:
    names = ("macs=60% criterion=taylor", "macs=40% criterion=taylor", "macs=40% criterion=random", "macs=60%")
    found = [narrowed(0.2 + index / 10, 0.9, 1.0, name) for index, name in enumerate(names)]
    table = compare(found)
    assert {name: family for name, family in drawn_families(table).items() if family != name} == {
        names[0]: "criterion=taylor",
        names[1]: "criterion=taylor",
        names[2]: "criterion=random",
    }
