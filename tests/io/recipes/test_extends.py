"""A recipe as a change of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.recipes import known
from tfopt.errors import RecipeError
from tfopt.io.recipes.extends import read_chain
from tfopt.io.recipes.recipe_file import load_recipe

BASE = """\
name: base
data:
  source: digits
  args: {scale: unit}
  batch_size: 64
model: {source: small_cnn, args: {filters: [16, 32]}}
compile:
  optimizer: {name: adam, beta_1: 0.8}
  loss: sparse_categorical_crossentropy
stages:
  - train: {epochs: 15}
  - prune:
      epochs: 10
      schedule: {kind: polynomial, initial: 30%, final: 80%}
export:
  tflite: {float32: {}}
"""

Merge = Callable[[str], dict[str, Any]]


@pytest.fixture
def merge(tmp_path: Path) -> Merge:
    (tmp_path / "base.yaml").write_text(BASE)

    def merged(child: str) -> dict[str, Any]:
        (tmp_path / "child.yaml").write_text(f"extends: base.yaml\n{child}")
        plain: dict[str, Any] = read_chain(tmp_path / "child.yaml").plain()
        return plain

    return merged


def test_a_child_changes_only_what_it_says(merge: Merge) -> None:
    document = merge("name: child\ndata: {batch_size: 32}\nexport: {keras: {}}\n")
    assert "extends" not in document
    assert document["name"] == "child"
    assert document["data"] == {"source": "digits", "args": {"scale": "unit"}, "batch_size": 32}
    assert document["export"] == {"tflite": {"float32": {}}, "keras": {}}


def test_a_list_of_stages_replaces_the_list(merge: Merge) -> None:
    assert merge("stages: [{train: {epochs: 1}}]")["stages"] == [{"train": {"epochs": 1}}]


def test_a_mapping_changes_stages_by_name(merge: Merge) -> None:
    stages = merge("stages: {prune: {epochs: 3, schedule: {final: 90%}}}")["stages"]
    assert stages == [
        {"train": {"epochs": 15}},
        {"prune": {"epochs": 3, "schedule": {"kind": "polynomial", "initial": "30%", "final": "90%"}}},
    ]


def test_another_kind_replaces_the_schedule(merge: Merge) -> None:
    stages = merge("stages: {prune: {schedule: {kind: constant, final: 50%}}}")["stages"]
    assert stages[1]["prune"]["schedule"] == {"kind": "constant", "final": "50%"}


def test_another_optimizer_replaces_the_optimizer(merge: Merge) -> None:
    assert merge("compile: {optimizer: {name: sgd}}")["compile"]["optimizer"] == {"name": "sgd"}
    assert merge("compile: {optimizer: {clipnorm: 1}}")["compile"]["optimizer"] == {
        "name": "adam",
        "beta_1": 0.8,
        "clipnorm": 1,
    }
    assert merge("compile: {loss: {from_logits: true}}")["compile"]["loss"] == {
        "name": "sparse_categorical_crossentropy",
        "from_logits": True,
    }


def test_another_source_drops_the_arguments(merge: Merge) -> None:
    document = merge("model: {source: mlp}\ndata: {source: mnist}")
    assert document["model"] == {"source": "mlp"}
    assert document["data"] == {"source": "mnist", "batch_size": 64}


def test_a_chain_of_files(merge: Merge, tmp_path: Path) -> None:
    merge("name: child\nseed: 1")
    (tmp_path / "grandchild.yaml").write_text("extends: ./child.yaml\nname: grandchild")
    document = read_chain(tmp_path / "grandchild.yaml").plain()
    assert (document["name"], document["seed"], document["data"]["batch_size"]) == ("grandchild", 1, 64)


def test_paths_are_relative_to_the_file_that_says_them(merge: Merge, tmp_path: Path) -> None:
    merge("model: {source: ./net.keras}")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "recipe.yaml").write_text("extends: ../child.yaml\ndata: {source: ./x.npz}")
    document = read_chain(tmp_path / "deeper" / "recipe.yaml").plain()
    assert document["data"]["source"] == str(tmp_path / "deeper" / "x.npz")
    assert Path(document["model"]["source"]).resolve() == (tmp_path / "net.keras").resolve()


def test_a_mistake_in_the_base_is_shown_there(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE.replace("epochs: 15", "epochs: none"))
    (tmp_path / "child.yaml").write_text("extends: base.yaml\nseed: -1\n")
    with pytest.raises(RecipeError, match=r"train\.epochs") as caught:
        load_recipe(tmp_path / "child.yaml", known())
    first, second = map(str, caught.value.problems)
    assert first == f"{tmp_path}/child.yaml:2:7: seed must be at least 0. Got -1."
    assert second == f"{tmp_path}/base.yaml:11:21: train.epochs must be a whole number. Got 'none'."


@pytest.mark.parametrize(
    ("child", "message"),
    [
        (
            "extends: nowhere.yaml",
            r"child\.yaml:1:10: extends names 'nowhere.yaml', but there is no file .*nowhere\.yaml\.",
        ),
        ("extends: 3", r"child\.yaml:1:10: extends must name another recipe file\. Got 3\."),
        (
            "extends: child.yaml",
            r"child\.yaml:1:10: extends leads back to where it began: .*child\.yaml -> .*child\.yaml\.",
        ),
        (
            "extends: other.yaml",
            r"other\.yaml:1:10: extends leads back to where it began: .*child.* -> .*other.* -> .*child",
        ),
        ("extends: empty.yaml", r"empty\.yaml is empty\. `tfopt init` writes a recipe to begin with\."),
        ("extends: list.yaml", r"list\.yaml:1:1: a recipe must be a mapping \(keys with values\)\. Got "),
        (
            "extends: base.yaml\nstages: {prun: {epochs: 3}}",
            r"child\.yaml:2:10: stages changes 'prun', but the base has no such stage\. Did you mean 'prune'\?",
        ),
    ],
)
def test_what_cannot_be_extended(child: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "other.yaml").write_text("extends: child.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "child.yaml").write_text(child)
    with pytest.raises(RecipeError, match=message):
        read_chain(tmp_path / "child.yaml")
