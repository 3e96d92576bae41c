"""Pruning, clustering and 8-bit training one after the other: what each claims to keep is kept, up to every file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.recipes import known
from tfopt.core.recipe.recipe import build_recipe
from tfopt.core.records.run import Run

pytestmark = pytest.mark.tf

CLUSTERS = 12
PRUNE = {"prune": {"epochs": 2, "schedule": {"kind": "constant", "final": "60%", "begin": "0%", "end": "50%"}}}
CLUSTER = {
    "cluster": {
        "epochs": 2,
        "clusters": CLUSTERS,
        "layers": [{"type": "Conv2D", "per_channel": True}, {"match": "logits", "skip": True}],
    }
}
QAT = {"qat": {"epochs": 1, "learning_rate": 5e-4}}
CHAINS: dict[str, list[dict[str, Any]]] = {
    "cluster": [CLUSTER],
    "prune, cluster": [PRUNE, CLUSTER],
    "cluster, qat": [CLUSTER, QAT],
    "prune, cluster, qat": [PRUNE, CLUSTER, QAT],
}
LONGEST = "prune, cluster, qat"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all chains: what they have in common is trained once."""
    return tmp_path_factory.mktemp("chains")


FILES = {
    "float32": {},
    "float16": {"quantize": "float16"},
    "dynamic": {"quantize": "dynamic"},
    "int8": {"quantize": "int8", "io": "int8"},
}


def run(stages: list[dict[str, Any]], out: Path, *files: str) -> Run:
    document = {
        "name": "chains",
        "data": {"source": "digits", "batch_size": 64},
        "model": {"source": "small_cnn", "args": {"filters": [8, 16]}},
        "compile": {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
        "stages": [{"train": {"epochs": 10}}, *stages],
        "export": {"tflite": {name: FILES[name] for name in files}},
    }
    return tfopt.run(build_recipe(document, known()), out=out)


# The longest chain has all that the others have; CI has it with every kind of file.
@pytest.mark.parametrize(
    "chain", [pytest.param(chain, marks=() if chain == LONGEST else pytest.mark.slow) for chain in CHAINS]
)
def test_what_a_chain_claims_to_keep_is_in_every_file(chain: str, out: Path) -> None:
    files = FILES if chain == LONGEST else ["int8"]
    done = run(CHAINS[chain], out, *files)

    assert [(e.name, c.claim, c.found) for e in done.report.exports for c in e.claims if not c.held] == []
    last = {layer.name: layer for layer in done.report.stages[-1].layers}
    clustered = {name: layer for name, layer in last.items() if layer.clusters is not None}
    assert clustered.keys() == {"conv2", "dense"}, "conv1 has 9 weights per channel"
    assert all((layer.unique_per_channel or 0) <= CLUSTERS for layer in clustered.values())
    assert (last["logits"].unique_per_channel or 0) > CLUSTERS, "a rule says skip"
    for export in done.report.exports:
        assert [c.held for c in export.claims if c.claim.startswith("shared values of each clustered layer")] == [True]
        assert export.measures["accuracy"] > 0.5
        if "prune" in chain:
            assert [c.held for c in export.claims if c.claim.startswith("sparsity of each pruned layer")] == [True]
    if "prune" in chain:
        assert all(layer.sparsity >= 0.595 for name, layer in last.items()), "in layers left alone too"


def test_zeros_are_given_up_only_when_asked(out: Path) -> None:
    """The stage says that the result is not sparse, so no file is held to it."""
    losing = {"cluster": {**CLUSTER["cluster"], "preserve_sparsity": False}}
    done = run([PRUNE, losing], out, "float32")
    assert not [c for e in done.report.exports for c in e.claims if c.claim.startswith("sparsity")]
    assert {layer.name: layer for layer in done.report.stages[-1].layers}["dense"].sparsity < 0.5
