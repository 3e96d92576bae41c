"""What is read off a Python file without importing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.catalog.signatures import Signature, describe

MODULE = '''# A comment before the docstring.
"""Digits of a bank.

More of it.
"""

import no_such_package  # importing this file would fail

SIZE = broken_name


def load(data, folder, *, limit=None, rows, **more) -> int:
    return folder[


def shape(data, folder: str = "here",
          limit: int = 3) -> tuple[int, ...]:
    raise SystemExit
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "bank.py"
    path.write_text(MODULE, encoding="utf-8")
    return path


def test_summary_and_arguments_are_read_without_running_the_file_even_where_a_body_is_broken(module: Path) -> None:
    found = describe(module, "load", given=["data"])
    assert found.summary == "Digits of a bank."
    assert found.signature == Signature(("folder", "limit", "rows"), ("folder", "rows"), open=True)


def test_a_definition_may_take_several_lines(module: Path) -> None:
    assert describe(module, "shape").signature == Signature(("data", "folder", "limit"), ("data",), open=False)


def test_a_function_that_is_not_defined_at_the_top_takes_anything(module: Path) -> None:
    assert describe(module, "elsewhere").signature == Signature(open=True)


def test_keys_of_a_class_come_after_those_of_its_bases_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "stage.py"
    path.write_text(
        '"""A stage."""\n'
        "from typing import ClassVar\n"
        "from tfopt.core.config.data import Augment\n"
        "from somewhere import Other\n\n"
        "class Stage(Augment, Other):\n"
        "    version: ClassVar[int] = 1\n"
        "    strength: float = 0.5\n"
        "    flip: str = 'none'\n",
        encoding="utf-8",
    )
    found = describe(path)
    assert found.summary == "A stage."
    assert found.signature is not None
    names = found.signature.names
    assert names[-1] == "strength"
    assert "version" not in names
    assert names.count("flip") == 1
    assert {"shift", "crop"} <= set(names)


def test_every_argument_of_a_recipe_is_compared() -> None:
    signature = Signature(("folder", "limit"), ("folder",))
    assert signature.mistakes("bank", {"folder": "x", "limit": 3}) == []
    unknown, missing = signature.mistakes("bank", {"limt": 3})
    assert (unknown.code, unknown.path, missing.code, missing.path) == (
        "unknown_argument",
        ("limt",),
        "missing_argument",
        ("folder",),
    )
    assert "limit" in unknown.message
    assert Signature(open=True).mistakes("bank", {"anything": 1}) == []


def test_of_an_argument_that_resembles_none_all_are_listed() -> None:
    (mistake,) = Signature(("folder", "limit")).mistakes("bank", {"zzz": 1})
    assert "Its arguments: folder, limit." in mistake.message
