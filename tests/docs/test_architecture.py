"""ARCHITECTURE.md names paths that exist, every room, and today's floors."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.root import REPOSITORY

PAGE = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a script of docs/ by name."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    return importlib.import_module


def test_the_paths_exist() -> None:
    """A path with `<name>` or `KIND` exists up to that."""
    paths = set(re.findall(r"`((?:tfopt|tests|docs|benchmarks)/[^`\s]*)`", PAGE))
    missing = [path for path in sorted(paths) if not (REPOSITORY / re.split(r"[^/]*[<*]", path)[0]).exists()]
    assert missing == []
    assert len(paths) > 40


def test_every_room_is_in_the_tree() -> None:
    tree = PAGE.split("## The tree")[1].split("```")[1]
    for package in ("tfopt", "tfopt/core", "tfopt/io", "tfopt/backend"):
        rooms = {path.parent.name for path in (REPOSITORY / package).glob("*/__init__.py")}
        assert {room for room in rooms if not re.search(rf"^ +{room}/", tree, re.MULTILINE)} == set(), package


def test_the_floors_are_those_of_the_import_test(script: Any) -> None:
    assert script("write_floors").page() == PAGE, "run: python docs/write_floors.py"


def test_the_picture_is_what_its_script_draws_and_names_paths_that_exist(script: Any) -> None:
    module = script("draw_life_of_a_run")
    assert (REPOSITORY / "docs" / "life_of_a_run.svg").read_text(encoding="utf-8") == module.drawing()
    for step in module.STEPS:
        room = ""
        for path in ", ".join(step.code).split(", "):
            room = path.split("/")[0] if "/" in path and (REPOSITORY / "tfopt" / path.split("/")[0]).exists() else room
            file = REPOSITORY / "tfopt" / path.replace("KIND.py", "")
            assert file.exists() or (REPOSITORY / "tfopt" / room / path).exists(), path


def test_the_drawn_schedules_are_those_of_today(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are compared, not bytes: another matplotlib spells an SVG differently."""
    module = script("draw_schedules")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "draw_schedules.py"))
    module.main()

    def words(path: Path) -> list[str]:
        return re.findall(r">([^<>]+)</text>", path.read_text(encoding="utf-8"))

    assert words(tmp_path / "schedules.svg") == words(REPOSITORY / "docs" / "schedules.svg")
