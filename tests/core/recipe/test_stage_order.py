from __future__ import annotations

import pytest

from tfopt.core.recipe.stage_order import order_problems
from tfopt.stages.cluster import Cluster
from tfopt.stages.prune import Prune
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train


@pytest.mark.parametrize(
    "chain",
    [
        [],
        [Train],
        [Train, Prune],
        [Train, Prune, Qat],
        [Prune, Qat],
        [Train, Train, Prune, Prune],
        [Qat],
        [Train, Cluster],
        [Train, Prune, Cluster, Qat],
        [Prune, Cluster, Cluster],
    ],
)
def test_what_keeps_what_came_before_may_follow(chain: list[type]) -> None:
    assert order_problems([(stage.__name__, stage) for stage in chain]) == []


def test_fine_tuning_after_pruning_is_refused_with_the_reason() -> None:
    ((index, mistake),) = order_problems([("train", Train), ("prune", Prune), ("tune", Train)])
    assert index == 2
    assert mistake.code == "sparsity_lost"
    assert "fine-tuning moves the zeros away from zero" in mistake.message


@pytest.mark.parametrize("stage", [Train, Prune])
def test_what_fine_tunes_after_clustering_is_refused_with_the_reason(stage: type) -> None:
    """Pruning too: it would make zeros of shared values, and move the rest apart."""
    ((index, mistake),) = order_problems([("train", Train), ("cluster", Cluster), ("more", stage)])
    assert index == 2
    assert mistake.code == "clusters_lost"
    assert mistake.message == (
        "more would destroy what cluster did: fine-tuning moves the shared values apart (measured: 8 unique values -> "
        "94); put more before the clustering, or give cluster more epochs."
    )


def test_nothing_is_trained_after_quantization() -> None:
    ((index, mistake),) = order_problems([("qat", Qat), ("train", Train)])
    assert (index, mistake.code) == (1, "stage_order")
