"""Every pair and triple of distill, prune, cluster and qat, and all four, each taught: what it claims, it keeps.

Almost all the time goes into making the stages ready to train, so CI has all four in one run; the others are slow.
A run that is killed without warning (`kill -9`) goes on where it was, and ends as if nothing had happened.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.end_to_end.test_first_recipe import numbers
from tests.support.children.processes import kill_run
from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import build_recipe
from tfopt.core.records.run import Run
from tfopt.errors import RecipeError
from tfopt.io.store.store import Store

TEACHER = {"stage": "train", "temperature": 3}
BEFORE = 6
"""Epochs without a teacher."""
EPOCHS = 4
"""Epochs of a stage with one: enough to be killed in."""
PAIR = {"student": "dense", "teacher": "dense", "weight": 0.1}
STAGES: dict[str, dict[str, Any]] = {
    "distill": {"epochs": EPOCHS, "teacher": {**TEACHER, "layers": [PAIR]}},
    "prune": {
        "epochs": EPOCHS,
        "schedule": {"kind": "polynomial", "final": "60%"},
        "teacher": {**TEACHER, "layers": [PAIR]},
    },
    "cluster": {"epochs": EPOCHS, "clusters": 8, "teacher": {**TEACHER, "cache": True}},
    "qat": {"epochs": EPOCHS, "teacher": {"ema": {"decay": 0.9}, "weight": 0.3}},
}
ORDER = list(STAGES)
CHAINS = [chain for length in (2, 3, 4) for chain in combinations(ORDER, length)]
REFUSED = {
    ("prune", "distill"): "would destroy what prune did",
    ("cluster", "distill"): "would destroy what cluster did",
    ("cluster", "prune"): "would destroy what cluster did",
    ("qat", "distill"): "qat must be the last trainable stage",
    ("qat", "prune"): "qat must be the last trainable stage",
    ("qat", "cluster"): "qat must be the last trainable stage",
}
"""Orders that cannot hold; a triple with one of them in it is refused for it."""
IN_CI = tuple(ORDER)


def document(chain: tuple[str, ...]) -> dict[str, Any]:
    """A recipe with a chain in it."""
    return {
        "name": "killed",
        "seed": 3,
        "data": {"source": "digits"},
        "model": {"source": "small_cnn", "args": {"filters": [4, 8]}},
        "compile": {"optimizer": {"name": "adam", "learning_rate": 5e-3}},
        "stages": [{"train": {"epochs": BEFORE}}, *({kind: STAGES[kind]} for kind in chain)],
        "export": {"tflite": {"float32": {}, "int8": {"quantize": "int8", "io": "int8"}}},
    }


def check(run: Run, chain: tuple[str, ...]) -> None:
    """What the chain is to keep, after every stage and in the files."""
    for position, kind in enumerate(chain, start=1):
        record = run.report.stages[position]
        kernels = [layer for layer in record.layers if layer.parameters > 20]
        assert kernels
        if "prune" in chain[:position]:
            assert record.measures["sparsity"] > 0.55, record.name
        if "cluster" in chain[:position]:
            assert all(layer.unique <= 8 for layer in kernels), record.name
        details = record.details["teacher"]
        assert ("measures" in details) == (kind != "qat")
        assert record.history[-1]["soft_loss"] >= 0
    assert [(e.name, c.claim, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.exports[-1].measures["accuracy"] > 0.3


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all chains, so that the dense model is trained once."""
    return tmp_path_factory.mktemp("chains")


@pytest.mark.tf
@pytest.mark.parametrize(
    "chain",
    [pytest.param(chain, marks=() if chain == IN_CI else pytest.mark.slow, id="-".join(chain)) for chain in CHAINS],
)
def test_a_chain_keeps_what_it_claims(chain: tuple[str, ...], out: Path) -> None:
    check(tfopt.run(build_recipe(document(chain), catalog()), out=out), chain)


def test_there_are_six_pairs_four_triples_and_all_four() -> None:
    assert [sum(len(chain) == length for chain in CHAINS) for length in (2, 3, 4)] == [6, 4, 1]


@pytest.mark.parametrize("chain", [chain for length in (2, 3) for chain in permutations(ORDER, length)], ids="-".join)
def test_orders_that_cannot_hold_are_refused_with_the_reason(chain: tuple[str, ...]) -> None:
    if chain in CHAINS:
        build_recipe(document(chain), catalog())
        return
    with pytest.raises(RecipeError) as caught:
        build_recipe(document(chain), catalog())
    reasons = [text for pair, text in REFUSED.items() if _holds(pair, chain)]
    assert any(text in str(caught.value) for text in reasons)


def _holds(pair: tuple[str, str], chain: tuple[str, ...]) -> bool:
    return set(pair) <= set(chain) and chain.index(pair[0]) < chain.index(pair[1])


@pytest.mark.tf
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("chain", "killed"),
    [
        pytest.param(IN_CI, ["qat"], id="in-qat-of-all-four"),
        pytest.param(IN_CI, ["prune", "export"], marks=pytest.mark.slow, id="in-prune-and-in-export-of-all-four"),
        *[
            pytest.param(chain, [*chain, "export"], marks=pytest.mark.slow, id="in-each-of-" + "-".join(chain))
            for chain in CHAINS
            if len(chain) == 3
        ],
    ],
)
def test_kill_9_changes_no_number(chain: tuple[str, ...], killed: Sequence[str], out: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(json.dumps(document(chain)))
    whole = tfopt.run(recipe, out=out)
    again = tmp_path / "again"
    if killed == ["qat"]:  # what comes before need not be trained a second time
        shutil.copytree(out / ".store", again / ".store")
        shutil.rmtree(Store(again / ".store").folder(whole.report.stages[-1].key))
    for kind in killed:
        # After the first epoch of the stage; epochs of finished stages are told again.
        moment = ("export_started", 1) if kind == "export" else ("epoch", BEFORE + EPOCHS * chain.index(kind) + 1)
        kill_run(recipe, again, *moment)
    ended = tfopt.run(recipe, out=again)
    kinds = ["train", *chain]
    cached = kinds if killed[-1] == "export" else kinds[: kinds.index(killed[-1])]
    assert [stage.kind for stage in ended.report.stages if stage.cached] == cached
    assert numbers(ended) == numbers(whole)
    assert ended.path("int8").read_bytes() == whole.path("int8").read_bytes()
