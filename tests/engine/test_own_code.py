"""Losses, metrics and callbacks of the user's own: missing ones are named with their place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tfopt.catalog.catalog import code_named_by
from tfopt.engine.keys import parts_of
from tfopt.engine.own_code import check_own_code
from tfopt.errors import RecipeError

RECIPE = """\
name: own
data: {source: digits}
model: {source: small_cnn}
compile:
  loss: {name: "ownengine:focall", gamma: 2.0}
  metrics: ["ownengine:hits", accuracy]
stages:
  - train:
      epochs: 1
      callbacks: ["ownengine:Watch", "missing_module:Watch"]
budgets: {}
"""
MODULE = "SCALE = {scale}\ndef focal(y, p, gamma=1.0): return SCALE\ndef hits(y, p): return y == p\nclass Watch: pass\n"


def write(folder: Path, recipe: str = RECIPE, scale: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ownengine.py").write_text(MODULE.format(scale=scale), encoding="utf-8")
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    return folder / "recipe.yaml"


def test_what_is_missing_has_its_place_in_the_file(tmp_path: Path) -> None:
    recipe = tfopt.load(write(tmp_path / "missing"))
    assert code_named_by(recipe) == ["ownengine:focall", "ownengine:hits", "ownengine:Watch", "missing_module:Watch"]
    with pytest.raises(RecipeError) as caught:
        check_own_code(recipe)
    first, second = str(caught.value).splitlines()[:2]
    assert "recipe.yaml:5:9" in first
    assert "Did you mean 'focal'?" in first
    assert "recipe.yaml:10:38" in second
    assert "there is no module 'missing_module'" in second


def test_the_store_key_changes_with_what_the_code_does(tmp_path: Path) -> None:
    good = RECIPE.replace("focall", "focal").replace(', "missing_module:Watch"', "")

    def code(name: str, scale: int) -> dict[str, str]:
        recipe = tfopt.load(write(tmp_path / name, good, scale))
        check_own_code(recipe)
        found: dict[str, str] = parts_of(recipe.stages[0], recipe, "parent", "data")["config"]["code"]
        return found

    one, same, other = code("one", 1), code("same", 1), code("other", 2)
    assert one == same
    assert {name for name in one if one[name] != other[name]} == {"ownengine:focal"}


AUGMENTED = """\
name: own
data: {source: digits, augment: {function: "ownaugment:louder"}}
model: {source: mlp}
stages:
  - train: {epochs: 2, keep: [1, 2]}
  - average: {method: uniform, epochs_of: train}
export: {}
"""


def test_the_store_key_of_stages_that_train_changes_with_an_augmentation(tmp_path: Path) -> None:
    def code(name: str, factor: int) -> list[dict[str, str] | None]:
        folder = write(tmp_path / name, AUGMENTED).parent
        text = f"def louder(x, y, seed):\n    return {factor} * x, y\n"
        (folder / "ownaugment.py").write_text(text, encoding="utf-8")
        recipe = tfopt.load(folder / "recipe.yaml")
        return [parts_of(stage, recipe, "parent", "data")["config"].get("code") for stage in recipe.stages]

    one, same, other = code("one", 1), code("same", 1), code("other", 2)
    assert one == same
    assert one[0] is not None
    assert one[0].keys() == {"ownaugment:louder"}
    assert one[0] != other[0]
    assert one[1] is None


def test_a_keras_name_is_still_checked(tmp_path: Path) -> None:
    for wrong, expected in (
        ("loss: {name: mse, like: mae}", "is for a loss of your own"),
        ("loss: msee", "Did you mean 'mse'"),
        ("loss: {name: 'a:b', like: nothing}", "names no loss of Keras"),
    ):
        text = RECIPE.replace('loss: {name: "ownengine:focall", gamma: 2.0}', wrong)
        with pytest.raises(RecipeError, match=expected):
            tfopt.load(write(tmp_path / "wrong", text))


def test_a_function_that_selects_calibration_examples_is_own_code(tmp_path: Path) -> None:
    export = "export: {tflite: {int8: {quantize: int8, calibration: {select: 'ownengine:chooose'}}}}\n"
    head, _, _ = RECIPE.partition("compile:")
    path = write(tmp_path / "select", f"{head}{export}")
    (tmp_path / "select" / "ownengine.py").write_text("def choose(inputs, targets): return [1]\n", encoding="utf-8")
    recipe = tfopt.load(path)
    assert code_named_by(recipe) == ["ownengine:chooose"]
    with pytest.raises(RecipeError, match="Did you mean 'choose'") as caught:
        check_own_code(recipe)
    assert "recipe.yaml:4:" in str(caught.value)
