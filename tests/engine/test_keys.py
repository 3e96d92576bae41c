"""Store keys: the same for the same work, in every later version; and why an entry is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.contracts.stage import Stage
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine import keys
from tfopt.engine.keys import key_of, why_missing
from tfopt.io.store.store import Store
from tfopt.stages.train import Train

KEY = "ab" + "0" * 62
PARTS = {"kind": "train", "seed": 1}

STAGES: dict[str, dict[str, Any]] = {
    "train": {
        "epochs": 2,
        "keep": [1],
        "moving_average": 0.9,
        "learning_rate": {"kind": "cosine", "initial": 0.01, "final": 0.001},
    },
    "distill": {"epochs": 2, "teacher": {"stage": "first", "temperature": 2, "weight": 0.5}},
    "prune": {
        "epochs": 3,
        "schedule": {"kind": "polynomial", "final": "80%", "begin": "10%", "end": "70%"},
        "allocation": "global",
        "layers": [{"match": "logits", "skip": True}],
        "rewind": {"stage": "first", "epoch": 1},
    },
    "cluster": {"epochs": 2, "clusters": 16, "per_channel": True, "layers": [{"match": "conv*", "clusters": 8}]},
    "qat": {"epochs": 1, "calibration": 64, "layers": [{"match": "dense", "skip": True}]},
    "ensemble": {"seeds": 3, "combine": "vote", "members": [{"stage": "first"}], "weights": [0.25, 0.25, 0.25, 0.25]},
    "average": {"method": "greedy", "epochs_of": "first"},
    "initialize": {"teacher": {"stage": "first"}, "layers": {"block1": "block2"}},
    "shrink": {
        "to": {"macs": "50%"},
        "epochs": 2,
        "schedule": {"kind": "iterative", "final": "50%"},
        "layers": [{"match": "conv.*", "floor": "25%"}],
    },
}

GOLDEN = {
    "train": "377d87a64c16f712951b5721f4e9b86842c20144c0b6e7455b63f77c80152444",
    "distill": "2e0c5f4f341ba759cd59c4dbfef07bcce174065f6640f66f26f33cbcfeb549d5",
    "prune": "38ed41bcb366a982761d2ab00dcadbe21d2e43da5a0b76096cf65f920b29c01b",
    "cluster": "4847596b98e66495574acb3e93db3ff7f6e2891dc43431ac469b2fd8a3bad600",
    "qat": "b7e1390019821ee39f23a4524fbe1dfca99348e66bb148daf2c5272528b05b14",
    "ensemble": "21f310a189ad58f16747ff6e3214b57df3374f8027faf4f87aa9fc5dd5570695",
    "average": "a8408a9afdacfc391a9332a7d37e019df249f40237d5ecef9a9fc9134c3cdff3",
    "initialize": "3888055c2c26559cb370774731cfef3be35c4bf7b38fc10bf120b4e094277646",
    "shrink": "bf9f8e3894ddeb3b676aef63af3b1d6afd60b2025f24716d346ea4003a97a106",
}
"""Keys of the stages above, which stay as released. A change here makes every stored result of such a stage a miss.

That of qat is new since version 10 of the stage: averages are rounded by the range of their input; that of
shrink since its version 3: what shares leave of the budget is used, and a group keeps two thirds of its equal share;
since version 4 this share is counted before what it leaves of the budget is used."""


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "key_versions", lambda: {"tensorflow": "1", "tf_keras": "2", "tfmot": "3"})


def recipe_with(kind: str, body: dict[str, Any]) -> Recipe:
    first = {"train": {"epochs": 2, "keep": [1, 2], "name": "first"}}
    return build_recipe(
        {
            "name": "golden",
            "seed": 1,
            "data": {"source": "digits", "augment": {"flip": "horizontal"}},
            "model": {"source": "mlp"},
            "stages": [first, {kind: {**body, "name": "second"}}],
        },
        catalog(),
    )


def key(kind: str, body: dict[str, Any]) -> str:
    recipe = recipe_with(kind, body)
    return key_of(recipe.stages[-1], recipe, "parent", "data", ["a"])


@pytest.mark.parametrize("kind", GOLDEN)
def test_keys_are_those_of_the_first_version(kind: str) -> None:
    assert key(kind, STAGES[kind]) == GOLDEN[kind]


def test_every_stage_has_a_golden_key() -> None:
    assert GOLDEN.keys() == catalog().stages.keys()


def test_the_order_in_which_keys_are_written_does_not_matter() -> None:
    assert key("prune", dict(reversed(STAGES["prune"].items()))) == GOLDEN["prune"]


def test_a_default_written_out_is_the_default() -> None:
    assert key("cluster", {**STAGES["cluster"], "initialization": "kmeans++"}) == GOLDEN["cluster"]


class LaterTrain(Train):
    """`train` in a later version, with one more key in front."""

    added: float | None = None
    """A new key."""


def test_a_key_that_a_later_version_adds_changes_no_old_key() -> None:
    """The rule for new keys: they default to None, and None is left out."""
    recipe = recipe_with("train", STAGES["train"])

    def later(**more: Any) -> str:
        LaterTrain.kind = "train"
        stage: Stage = LaterTrain(**STAGES["train"], **more)
        return key_of(stage, recipe, "parent", "data", ["a"])

    assert later() == later(added=None) == GOLDEN["train"]
    assert later(added=0.5) != GOLDEN["train"]


def test_an_entry_of_which_only_the_key_is_left_is_missing_for_a_reason(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.building(KEY) as folder:
        store.commit(KEY, folder, {}, PARTS)
    (store.folder(KEY) / "entry.json").unlink()
    assert not store.has(KEY)
    assert why_missing(PARTS, store, []) == "its entry in the store is incomplete"
    assert why_missing({**PARTS, "seed": 2}, store, []) == "seed was 1 and is 2"
