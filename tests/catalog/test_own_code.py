"""Modules beside a recipe: which one is found, by whom, and what it leaves behind."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tfopt.catalog import references
from tfopt.catalog.own_code import child_environment, importable
from tfopt.errors import StageError


def write(folder: Path, **modules: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    before, paths = dict(sys.modules), list(sys.path)
    yield
    assert sys.path == paths
    for name in set(sys.modules) - set(before):
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_two_recipes_each_find_their_own_module_of_one_name(tmp_path: Path) -> None:
    one = write(tmp_path / "one", ownmodel="from ownparts import part\ndef build(): return part", ownparts="part = 1")
    two = write(tmp_path / "two", ownmodel="from ownparts import part\ndef build(): return part", ownparts="part = 2")
    first = references.function("ownmodel:build", one)
    assert first() == 1
    with importable(one):
        assert references.function("ownmodel:build", two)() == 2
        assert importlib.import_module("ownmodel").build is first
    assert references.function("ownmodel:build", two)() == 2
    assert references.function("ownmodel:build", one) is first
    with importable(two):
        kept = importlib.import_module("ownmodel")
    with importable(two):
        assert importlib.import_module("ownmodel") is kept


def test_a_changed_module_is_imported_again(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "one", ownfresh="import ownhelper\ndef build(): return ownhelper.value", ownhelper="value = 1"
    )
    assert references.function("ownfresh:build", folder)() == 1
    write(folder, ownhelper="value = 23")
    assert references.function("ownfresh:build", folder)() == 23


def test_the_folder_of_the_recipe_comes_before_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ownmodel="def build(): return 'current'")
    recipe = write(tmp_path / "recipe", ownmodel="def build(): return 'recipe'")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", ["", *sys.path])
        assert references.function("ownmodel:build", recipe)() == "recipe"


def test_packages_beside_the_recipe_may_import_relatively(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("two", 2)):
        package = write(tmp_path / name / "ownlab", __init__="", layers=f"value = {value}")
        write(package, model="from .layers import value\ndef build(): return value")
        assert references.function("ownlab.model:build", tmp_path / name)() == value


def test_a_relative_import_beside_the_recipe_says_what_to_write(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", ownrelative="from .layers import value", layers="value = 1")
    with pytest.raises(StageError) as caught:
        references.function("ownrelative:build", folder)
    assert "without the dot" in caught.value.hint


def test_modules_of_python_come_first_and_the_error_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", queue="def build(): return 1")
    with importable(folder):
        assert hasattr(importlib.import_module("queue"), "Queue")
    with pytest.raises(StageError) as caught:
        references.function("queue:build", folder)
    assert "give that file a name" in caught.value.hint


def test_child_processes_find_the_same_modules(tmp_path: Path) -> None:
    write(tmp_path, queue="raise SystemExit('shadowed')")
    folder = write(tmp_path / "one", ownchild="value = 'found'", json="raise SystemExit('shadowed')")
    with importable(folder):
        environment = child_environment({})
    text = "import json, queue, ownchild; print(ownchild.value)"
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "found" or (sys.version_info < (3, 11) and "shadowed" in done.stderr), done.stderr
