"""Other recipes and files that stages name are read with the recipe, and their mistakes told there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recipes import known
from tests.support.stand_ins.needing_stages import Take
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.engine.sweep import stage_chain
from tfopt.errors import RecipeError
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.runs.reuse import run_identity

CATALOG = Catalog({**known().stages, "take": Take}, known().exports)
HEAD = "data: {source: digits}\nmodel: {source: mlp}\n"
MEMBER = f"name: member\n{HEAD}stages: [{{train: {{epochs: 1}}}}]\n"


def write(path: Path, source: str, stages: str = "- train: {epochs: 1}") -> Path:
    path.write_text(f"name: student\n{HEAD}stages:\n  {stages}\n  - take: {{model: {source}}}\n")
    return path


def load(folder: Path, source: str) -> Recipe:
    return load_recipe(write(folder / "student.yaml", source), CATALOG)


def problem(folder: Path, source: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load(folder, source)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_a_path_starts_at_the_folder_of_its_recipe(tmp_path: Path) -> None:
    (tmp_path / "member.yaml").write_text(MEMBER)
    recipe = load(tmp_path, "{recipe: member.yaml}")
    assert recipe.stage("take").sources(0)[0].recipe == str(tmp_path / "member.yaml")


def test_what_is_not_there_is_told_at_its_place(tmp_path: Path) -> None:
    text = problem(tmp_path, "{recipe: member.yaml}")
    assert text.startswith(f"{tmp_path}/student.yaml:6:28: take.model.recipe names a recipe that is not there")
    assert "names a file that is not there" in problem(tmp_path, "{file: teacher.h5}")
    (tmp_path / "teacher.txt").write_text("no model")
    assert "is no model file" in problem(tmp_path, "{file: teacher.txt}")


def test_a_mistake_of_another_recipe_is_a_mistake_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "member.yaml").write_text(MEMBER.replace("epochs: 1", "epochs: 0"))
    text = problem(tmp_path, "{recipe: member.yaml}")
    assert "take.model.recipe names a recipe with mistakes: " in text
    assert "member.yaml:4:27: train.epochs must be" in text


def test_another_recipe_must_make_a_model(tmp_path: Path) -> None:
    (tmp_path / "member.yaml").write_text(f"name: member\n{HEAD}export: {{keras: {{}}}}\n")
    assert "names a recipe without stages" in problem(tmp_path, "{recipe: member.yaml}")


def test_a_circle_is_found(tmp_path: Path) -> None:
    assert "leads back to a recipe that needs this one" in problem(tmp_path, "{recipe: student.yaml, seed: 3}")
    write(tmp_path / "other.yaml", "{recipe: student.yaml}")
    assert "leads back to a recipe that needs this one" in problem(tmp_path, "{recipe: other.yaml}")


def test_a_run_is_another_one_when_a_recipe_behind_it_says_something_else(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(MEMBER)
    (tmp_path / "member.yaml").write_text("extends: base.yaml\n")
    recipe = load(tmp_path, "{recipe: member.yaml}")
    identity, chain = run_identity(recipe), stage_chain(recipe)
    assert identity == run_identity(recipe)
    (tmp_path / "base.yaml").write_text(MEMBER.replace("epochs: 1", "epochs: 2"))
    assert run_identity(recipe) != identity
    assert stage_chain(recipe)[0] == chain[0]
    assert stage_chain(recipe)[1] != chain[1]


def test_the_content_of_a_file_counts_and_not_its_place(tmp_path: Path) -> None:
    for name in ("one.h5", "other.h5"):
        (tmp_path / name).write_bytes(b"weights")
    chain = stage_chain(load(tmp_path, "{file: one.h5}"))
    assert chain == stage_chain(load(tmp_path, "{file: other.h5}"))
    (tmp_path / "other.h5").write_bytes(b"other weights")
    assert chain != stage_chain(load(tmp_path, "{file: other.h5}"))


def test_stages_of_this_recipe_with_another_seed_count_as_they_are(tmp_path: Path) -> None:
    one, other = (stage_chain(load(tmp_path, f"{{seed: {seed}}}")) for seed in (1, 2))
    assert one[0] == other[0]
    assert one[1] != other[1]
