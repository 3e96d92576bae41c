"""The keys of the shrink stage: what excludes what, and where it can stand."""

from __future__ import annotations

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import RecipeError


def recipe(*stages):
    return build_recipe(
        {"name": "r", "data": {"source": "digits"}, "model": {"source": "mlp"}, "stages": list(stages)}, catalog()
    )


def shrink(**keys):
    return {"shrink": {"epochs": 2, "to": {"macs": "50%"}, **keys}}


TRAIN = {"train": {"epochs": 1}}
ITERATIVE = {"kind": "iterative", "final": "50%"}


@pytest.mark.parametrize(
    ("stages", "code", "text"),
    [
        ((shrink(),), "nothing_trained", "train first"),
        ((TRAIN, shrink(group_lasso=0.1)), "conflicting_keys", "needs a schedule"),
        ((TRAIN, shrink(schedule={**ITERATIVE, "final": "40%"})), "conflicting_keys", "Write 50%"),
        ((TRAIN, shrink(schedule={"kind": "metric", "final": "50%"})), "conflicting_keys", "kind metric"),
        ((TRAIN, shrink(reconstruct="updates")), "conflicting_keys", "there is no schedule"),
        ((TRAIN, shrink(remove=["channels", "rank"])), "conflicting_keys", "allocation: sensitivity"),
        ((TRAIN, shrink(remove=["rank"], schedule=ITERATIVE)), "conflicting_keys", "factorized before training"),
        ((TRAIN, shrink(to={"threshold": 0.1}, schedule=ITERATIVE)), "conflicting_keys", "to.threshold"),
        ((TRAIN, shrink(to={"threshold": 0.1}, allocation="uniform")), "conflicting_keys", "each unit alone"),
        (
            (TRAIN, shrink(layers=[{"match": "a", "skip": True, "divisor": 4}])),
            "invalid_value",
            "remove one of the two",
        ),
        ((TRAIN, {"prune": {"epochs": 2, "schedule": ITERATIVE}}, shrink()), "sparsity_lost", "zeros"),
    ],
)
def test_what_cannot_work_is_refused_at_once(stages, code, text):
    with pytest.raises(RecipeError) as caught:
        recipe(*stages)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert text in str(problem)


def test_it_may_be_followed_by_all_others():
    stages = recipe(TRAIN, shrink(), {"prune": {"epochs": 2, "schedule": ITERATIVE}}, {"qat": {"epochs": 1}}).stages
    assert [stage.kind for stage in stages] == ["train", "shrink", "prune", "qat"]


def test_the_processor_is_a_part_of_the_key_only_where_latency_is_the_budget():
    budgets = {"macs": "50%"}, {"latency": "50%"}
    assert [recipe(TRAIN, shrink(to=to)).stages[-1].depends_on_machine() for to in budgets] == [False, True]
