from __future__ import annotations

from typing import Any

import pytest

from tests.support.errors import refused
from tests.support.recipes import document, known
from tfopt.core.config.clustering import Clustering, Sharing
from tfopt.core.contracts.stage import next_traits
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import RecipeError
from tfopt.stages.cluster import Cluster


def recipe_with(stage: dict[str, Any], *, pruned: bool = False) -> Any:
    made = document()
    made["stages"] = [*made["stages"][: 2 if pruned else 1], {"cluster": {"epochs": 2, **stage}}]
    return build_recipe(made, known())


def test_the_last_rule_that_matches_wins() -> None:
    clustering = Clustering.model_validate(
        {
            "clusters": 16,
            "per_channel": True,
            "layers": [
                {"type": "Dense", "clusters": 32},
                {"match": "conv1", "per_channel": False},
                {"match": "logits", "skip": True},
            ],
        }
    )
    assert clustering.for_layer("conv2", "Conv2D") == Sharing(16, True)
    assert clustering.for_layer("conv1", "Conv2D") == Sharing(16, False)
    assert clustering.for_layer("hidden", "Dense") == Sharing(32, True)
    assert clustering.for_layer("logits", "Dense") is None


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({}, "clusters"),
        ({"clusters": 1}, r"clusters must be .*2"),
        ({"clusters": float("nan")}, "clusters"),
        ({"clusters": 16, "initialization": "kmeans"}, r"initialization must be .*kmeans\+\+"),
        ({"clusters": 16, "layers": [{"match": "(", "clusters": 4}]}, "regular expression"),
        ({"clusters": 16, "layers": [{"clusters": 1}]}, "clusters must be"),
        ({"clusters": 16, "layers": [{"skip": True, "clusters": 4}]}, "skip: true and also how to cluster"),
        ({"clusters": 16, "per_chanel": True}, "per_channel"),
    ],
)
def test_bad_input_is_one_clear_error(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_with(stage)


@pytest.mark.parametrize(
    ("stage", "path"),
    [({"clusters": 2}, "clusters"), ({"clusters": 8, "layers": [{"clusters": 2}]}, "layers.0.clusters")],
)
def test_zero_is_one_of_the_clusters_of_a_sparse_model(stage: dict[str, Any], path: str) -> None:
    with refused(RecipeError, "out_of_range", "is 2") as caught:
        recipe_with(stage, pruned=True)
    assert [".".join(map(str, p.path)) for p in caught.value.problems] == [f"stages.2.cluster.{path}"]
    recipe_with(stage)
    recipe_with({**stage, "preserve_sparsity": False}, pruned=True)


def test_a_model_is_sparse_afterwards_only_if_its_zeros_are_preserved() -> None:
    sparse = frozenset({"trained", "sparse"})
    keeping, losing = (Cluster(epochs=1, clusters=8, preserve_sparsity=keep) for keep in (True, False))
    assert next_traits(keeping, sparse) == {"trained", "sparse", "clustered"}
    assert next_traits(losing, sparse) == {"trained", "clustered"}
