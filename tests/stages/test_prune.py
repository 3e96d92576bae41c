"""Keys of the prune stage that only fail together, or that the file's reader must refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tfopt.stages.prune import Prune

RECIPE = """\
name: patterns
seed: 1
data: {source: digits}
model: {source: mlp}
stages:
  - prune: {epochs: 1, schedule: {kind: constant, final: 50%}, KEYS}
"""


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("sparsity_m_by_n: [0, 4]", ("stages", 0, "prune", "sparsity_m_by_n", 0)),
        ("sparsity_m_by_n: [2, 1]", ("stages", 0, "prune", "sparsity_m_by_n", 1)),
        ("layers: [{sparsity_m_by_n: [0, 4]}]", ("stages", 0, "prune", "layers", 0, "sparsity_m_by_n", 0)),
        ("block_size: [0, 1]", ("stages", 0, "prune", "block_size", 0)),
    ],
)
def test_impossible_patterns_are_refused_by_validate_at_their_place(
    tmp_path: Path, keys: str, place: tuple[str | int, ...]
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace("KEYS", keys))
    (result,) = tfopt.validate([path])
    (problem,) = result.problems
    assert problem.path == place
    assert problem.where is not None
    assert problem.code == "out_of_range"


@pytest.mark.parametrize(
    ("keys", "text"),
    [({"sparsity_m_by_n": [2, 4]}, "cannot be combined with sparsity_m_by_n"), ({"block_size": [8, 1]}, "must be")],
)
def test_blocks_of_xnnpack_are_those_that_kernels_skip(keys, text):
    body = {"epochs": 1, "schedule": {"kind": "constant", "final": "50%"}, "policy": "xnnpack_blocks"}

    assert Prune.model_validate(body).for_layer("dense", "Dense")[1].block_size == (16, 1)
    assert text in " ".join(mistake.message for mistake in Prune.model_validate({**body, **keys}).problems())


@pytest.mark.parametrize(
    "keys",
    [
        {"allocation": "global"},
        {"block_size": [4, 1]},
        {"sparsity_m_by_n": [2, 4]},
        {"policy": "xnnpack_blocks"},
    ],
)
def test_a_threshold_judges_each_weight_alone(keys):
    body = {"epochs": 1, "schedule": {"kind": "threshold", "below": 0.1}, **keys}
    (problem,) = Prune.model_validate(body).problems()
    assert problem.path == tuple(keys)
    assert "judges each weight alone" in problem.message
