"""Case several-inputs: Keras' form of two inputs, `((x1, x2), y)`, and one sigmoid output without `compile.loss`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_a_tuple_of_inputs_and_one_sigmoid_output(shared_case: Callable[[str], Path], tmp_path: Path) -> None:
    recipe = tfopt.load(shared_case("several-inputs") / "recipe.yaml", {"stages.train.epochs": 4})
    plan = tfopt.plan(recipe, out=tmp_path, trial=False)
    assert plan.recipe.compile.loss.name == "binary_crossentropy"
    assert any("compile.loss is binary_crossentropy" in warning for warning in plan.warnings)
    run = tfopt.run(recipe, out=tmp_path)
    for export in run.report.exports:
        assert [claim.claim for claim in export.claims if not claim.held] == []
        assert export.audit is not None
        assert {port.name for port in export.audit.inputs} == {"left", "right"}
        # Nine pairs in ten differ: what always says no has 0.9. The loss of chance is 0.33 with that knowledge.
        assert export.measures["accuracy"] > 0.75
        assert export.measures["agreement"] > 0.9
