"""The starter recipe is valid, and explains every key it uses."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from click.testing import Result

from tfopt import api

STARTER = files("tfopt.io.recipes") / "templates" / "starter.yaml"


def test_what_init_writes_is_a_valid_recipe(tfopt: Callable[..., Result], tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    assert tfopt("init", str(target)).exit_code == 0
    assert target.read_text(encoding="utf-8") == STARTER.read_text(encoding="utf-8")
    recipe = api.load(target)
    assert [stage.kind for stage in recipe.stages] == ["train", "prune", "qat"]
    assert "int8" in recipe.export_names()


def test_init_never_overwrites(tfopt: Callable[..., Result], tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("name: mine\n")
    result = tfopt("init", str(target))
    assert result.exit_code == 2
    assert target.read_text() == "name: mine\n"


def test_lines_fit_an_editor() -> None:
    assert max(map(len, STARTER.read_text(encoding="utf-8").splitlines())) <= 130
