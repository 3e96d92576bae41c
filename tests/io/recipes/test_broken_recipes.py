"""Every mistake has its one clear message, at its place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.io.recipes.mistakes.case import GOOD, Broken
from tests.io.recipes.mistakes.names import NAMES
from tests.io.recipes.mistakes.schedules import SCHEDULES
from tests.io.recipes.mistakes.values import VALUES
from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.catalog import Catalog
from tfopt.errors import RecipeError
from tfopt.io.recipes.recipe_file import load_recipe

BROKEN = SCHEDULES | VALUES | NAMES


@pytest.fixture(scope="module")
def known() -> Catalog:
    return catalog()


def test_the_good_recipe_is_good(tmp_path: Path, known: Catalog) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD)
    assert load_recipe(path, known).name == "digits"


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_mistake_has_one_message_at_its_place(broken: Broken, tmp_path: Path, known: Catalog) -> None:
    assert GOOD.count(broken.good) >= 1
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD.replace(broken.good, broken.bad, 1))
    with pytest.raises(RecipeError, match=r"recipe\.yaml") as caught:
        load_recipe(path, known)
    assert [problem.code for problem in caught.value.problems] == [broken.code], str(caught.value)
    expected = f"{path}:{broken.place}: {broken.message}".replace("FOLDER", str(tmp_path))
    assert str(caught.value).startswith(expected)
    assert caught.value.problems[0].where is not None
    assert caught.value.problems[0].where.text == path.read_text().splitlines()[caught.value.problems[0].where.line - 1]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path, known: Catalog) -> None:
    path = tmp_path / "recipe.yaml"
    text = GOOD
    for good, bad in (
        ("int8.bytes: 60 kB", "int8.bytes: 60 km"),
        ("final: 80%", "final: 120%"),
        ("epochs: 15", "epochs: 0"),
        ("source: digits", "source: digit"),
        ("name: digits", "nam: digits"),
    ):
        text = text.replace(good, bad)
    path.write_text(text)
    with pytest.raises(RecipeError, match="nam") as caught:
        load_recipe(path, known)
    places = [(problem.where.line, problem.where.column) for problem in caught.value.problems if problem.where]
    assert places == [(1, 1), (4, 11), (14, 21), (17, 57), (25, 15)]
    codes = ["unknown_key", "unknown_source", "out_of_range", "invalid_value", "invalid_quantity"]
    assert [problem.code for problem in caught.value.problems] == codes
    assert caught.value.exit_code == 3
