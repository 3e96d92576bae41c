"""The recipe of sparse files in blocks, made small: every kernel computes them right, and they are smaller."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.records.run import Run
from tfopt.errors import RecipeError

pytestmark = pytest.mark.tf

RECIPE = REPOSITORY / "recipes" / "digits_sparse_blocks.yaml"
SMALL = {
    "model.args.units": [96, 64], "stages.train.epochs": 2, "stages.prune.epochs": 2, "budgets": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tfopt.run(tfopt.load(RECIPE, SMALL), out=tmp_path_factory.mktemp("sparse"))


@pytest.mark.parametrize(("name", "block"), [("float32_sparse", 4), ("int8_sparse", 16)])
def test_zeros_are_left_out_and_every_kernel_computes_the_rest(run: Run, name: str, block: int) -> None:
    export, dense = run.export(name), run.export(name.removesuffix("_sparse"))
    (claim,) = [claim for claim in export.claims if claim.code == "sparse_encoding"]
    assert claim.held, claim.found
    assert f"in blocks of {block} inputs" in claim.found
    assert export.audit is not None
    weights = [tensor for tensor in export.audit.tensors if tensor.role == "weight"]
    assert {tensor.sparse_block for tensor in weights} == {block}
    assert export.bytes < 0.75 * dense.bytes
    assert export.sparse_bytes is not None
    assert export.sparse_bytes < export.bytes
    assert dense.sparse_bytes is None
    assert all(claim.code != "sparse_encoding" for claim in dense.claims)


def test_sizes_are_in_the_report(run: Run) -> None:
    for export in run.report.exports:
        assert export.zstd_bytes is not None
        assert 0 < export.zstd_bytes <= export.bytes
        assert export.audit is not None
        assert sum(size.bytes for size in export.audit.layer_sizes) == export.bytes
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "Entropy of the weights" in page
    assert (run.folder / "figures" / "layer_bytes.svg").is_file()


def test_a_bad_mode_is_refused_before_training(tmp_path: Path) -> None:
    changes = {**SMALL, "export.tflite.float32_sparse.quantize": "float16"}
    with pytest.raises(RecipeError, match=r"float32_sparse cannot have sparse: true: layer .*NaN"):
        tfopt.plan(tfopt.load(RECIPE, changes), out=tmp_path, trial=False)


@pytest.mark.slow
def test_after_qat_the_zeros_still_fill_blocks(tmp_path: Path) -> None:
    recipe = tmp_path / "chain.yaml"
    recipe.write_text(
        """
name: chain
data: {source: digits, batch_size: 32}
model: {source: mlp, args: {units: [64]}}
stages:
  - train: {epochs: 2}
  - prune: {epochs: 2, schedule: {kind: constant, final: 60%, every: 4 steps}, block_size: [16, 1]}
  - qat: {epochs: 1}
export:
  tflite:
    int8_sparse: {quantize: int8, sparse: true}
    float32_sparse: {sparse: true}
""",
        encoding="utf-8",
    )
    run = tfopt.run(tfopt.load(recipe), out=tmp_path / "out")
    for name, block in (("int8_sparse", 16), ("float32_sparse", 4)):
        export = run.export(name)
        (claim,) = [claim for claim in export.claims if claim.code == "sparse_encoding"]
        assert claim.held, claim.found
        assert f"in blocks of {block} inputs" in claim.found
