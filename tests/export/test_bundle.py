"""What is known about a bundle from the recipe alone: which files it is made of."""

from __future__ import annotations

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.reader import read_exports
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import RecipeError

TFLITE = {"int8": {"quantize": "int8"}, "float32": {}}


def document(**export: object) -> dict[str, object]:
    return {
        "name": "b",
        "data": {"source": "digits"},
        "model": {"source": "mlp"},
        "stages": [{"train": {"epochs": 1}}],
        "export": export,
    }


@pytest.mark.parametrize(
    ("bundle", "tflite", "path", "message"),
    [
        (None, None, (), "is made of .tflite files, and the recipe has no export.tflite."),
        (
            {"variants": ["int9"]},
            TFLITE,
            ("variants", 0),
            "names 'int9', which export.tflite does not write. Did you mean 'int8'?",
        ),
        ({"variants": ["x"]}, TFLITE, ("variants", 0), "does not write. Files: int8, float32."),
        ({"variants": ["int8", "int8"]}, TFLITE, ("variants", 1), "names 'int8' twice."),
    ],
)
def test_files_that_do_not_exist_are_known_at_once(
    bundle: object, tflite: object, path: tuple[object, ...], message: str
) -> None:
    export = {"bundle": bundle} | ({"tflite": tflite} if tflite else {})
    with pytest.raises(RecipeError) as error:
        build_recipe(document(**export), catalog())
    (problem,) = error.value.problems
    assert problem.path == ("export", "bundle", *path)
    assert problem.message.endswith(message)


def test_the_order_in_the_recipe_does_not_matter() -> None:
    recipe = build_recipe(document(bundle={"variants": ["int8"]}, tflite=TFLITE), catalog())
    assert recipe.export_names() == ("bundle", "int8", "float32")
    assert recipe.to_document()["export"]["bundle"] == {"variants": ["int8"], "examples": 8}


def test_normalization_is_checked_with_the_recipe() -> None:
    _, problems = read_exports({"bundle": {"normalization": {"mean": [1, 2], "std": [1, 0]}}}, catalog())
    assert "std must be above 0" in problems[0].message
    _, problems = read_exports({"bundle": {"normalization": {"mean": [1, 2], "std": [1, 2, 3]}}}, catalog())
    assert "std must have as many numbers as mean (2). Got 3" in problems[0].message
