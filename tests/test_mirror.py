"""Tests are where the code is: `tests/<room>/test_<module>.py`. `python -m tests.test_mirror` lists what has none."""

from __future__ import annotations

from pathlib import Path

from tests.support.root import REPOSITORY

TESTS, SOURCE = REPOSITORY / "tests", REPOSITORY / "tfopt"
OF_NO_ROOM = {"support", "cases", "end_to_end", "silent_failures", "docs", "notebooks", "benchmarks"}
"""Folders of tests that are about several rooms, or about what is outside of `tfopt`."""


def rooms_of_tests() -> set[Path]:
    """Folders with tests, relative to `tests`."""
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    return {folder for folder in folders if folder.parts and folder.parts[0] not in OF_NO_ROOM}


def without_a_test_of_their_name() -> list[str]:
    """Modules without `test_<module>.py` in the folder of their room."""
    modules = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.py")) if path.name != "__init__.py"]
    return [str(module) for module in modules if not (TESTS / module.parent / f"test_{module.name}").exists()]


def test_every_folder_of_tests_is_a_room() -> None:
    assert {room for room in rooms_of_tests() if not (SOURCE / room / "__init__.py").exists()} == set()


def test_every_folder_of_tests_is_a_package() -> None:
    assert {room for room in rooms_of_tests() if not (TESTS / room / "__init__.py").exists()} == set()


if __name__ == "__main__":
    print("\n".join(without_a_test_of_their_name()))
