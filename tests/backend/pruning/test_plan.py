from __future__ import annotations

import pytest

from tfopt.backend.pruning.plan import resolve_schedules
from tfopt.core.config.pruning import Pruning
from tfopt.core.config.schedules import MaskUpdate, schedule_kinds

pytestmark = pytest.mark.tf


def two_of_four(schedule: dict[str, object], own: dict[str, object] | None = None) -> tuple[MaskUpdate, ...]:
    rule = {"match": "hidden", "sparsity_m_by_n": [2, 4], **({"schedule": own} if own else {})}
    pruning = Pruning.model_validate({"schedule": schedule, "layers": [rule]})
    return resolve_schedules(pruning, {"hidden": "Dense"}, 200, 20)["hidden"].mask_updates


@pytest.mark.parametrize("kind", schedule_kinds())
def test_an_m_by_n_layer_has_its_share_in_a_stage_of_any_kind(kind):
    steps = [{"at": "10%", "sparsity": "40%"}, {"at": "70%", "sparsity": "80%"}]
    written = {"kind": kind, **({"steps": steps} if kind == "stepwise" else {"final": "80%"})}
    mask_updates = two_of_four(written)
    assert {sparsity for _, sparsity in mask_updates} == {0.5}
    assert len(mask_updates) == 1 or kind != "one_shot"


def test_an_m_by_n_layer_may_be_pruned_once():
    once = {"kind": "one_shot", "final": "50%", "begin": "3 epochs"}
    assert two_of_four({"kind": "linear", "final": "80%"}, once) == ((60, 0.5),)
