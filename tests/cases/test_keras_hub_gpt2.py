"""Case keras-hub-gpt2: a causal language model of own layers whose embedding is its output layer, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt
from tests.support.root import SHARED_CASES
from tfopt.core.records.report import ClaimRecord

pytestmark = pytest.mark.tf

RECIPE = """\
name: causal-language-model
seed: 3
data: {source: "tests.support.networks.causal_transformer:sequences", batch_size: 32}
model: {source: "tests.support.networks.causal_transformer:build"}
compile:
  optimizer: {name: adam, learning_rate: 5e-3}
  loss: {name: sparse_categorical_crossentropy, from_logits: true}
  metrics: [accuracy]
stages:
  - train: {epochs: 6}
PRUNE
  - qat: {epochs: 2}
export:
  keras: {}
  tflite:
    int8: {quantize: int8, agreement: 80%}
"""

PRUNE = "  - prune: {epochs: 2, schedule: {kind: polynomial, final: 50%}}"


@pytest.mark.parametrize("prune", ["", pytest.param(PRUNE, marks=pytest.mark.slow)], ids=["dense", "pruned"])
def test_a_hand_written_one_goes_through_every_stage_with_one_table(prune: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("PRUNE", prune), encoding="utf-8")
    run = tfopt.run(tfopt.load(recipe), out=tmp_path)
    assert broken(run) == {}
    int8 = run.export("int8")
    assert int8.measures["accuracy"] > run.report.stages[-1].measures["accuracy"] - 0.1
    assert int8.simulation is not None
    tables = [layer for layer in run.report.stages[-1].layers if layer.name == "token_embedding"]
    assert len(tables) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the case leaves its text file open
def test_the_case_itself(shared_case: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install keras-hub)")
    text = SHARED_CASES.parent / "data" / "tinyshakespeare"
    if not text.is_dir():
        pytest.skip(f"the text does not lie beside this checkout ({text})")
    monkeypatch.setenv("TINYSHAKESPEARE", str(text))
    run = tfopt.run(tfopt.load(shared_case("keras-hub-gpt2") / "recipe.yaml"), out=tmp_path)
    assert broken(run) == {}


def broken(run: tfopt.Run) -> dict[tuple[str, str], ClaimRecord]:
    return {(file.name, claim.code): claim for file in run.report.exports for claim in file.claims if not claim.held}
