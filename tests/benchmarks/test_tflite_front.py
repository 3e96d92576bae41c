"""The table of accuracy against bytes says where no recommended file of tfopt is on the front."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, imported from its folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("front_table")


def points(script: Any, *files: tuple[str, str, int, float]) -> list[Any]:
    return [script.Point(*file) for file in files]


def test_what_is_smaller_and_more_accurate_beats(script: Any) -> None:
    own, other = ("tfopt", "int8", 1000, 0.8), ("converter", "int8", 1005, 0.79)
    text = script.section({0: points(script, own, other)}, ["int8"])
    assert "| tfopt | **`int8`** | 1.0 kB | 80.0 |  |" in text
    assert "| converter | `int8` | 1.0 kB | 79.0 | tfopt int8 (+1.0) |" in text
    assert text.endswith("one of tfopt is no larger (1 % at most) and no less accurate (seed 0).\n")


def test_where_no_recommended_file_is_on_the_front_is_said(script: Any) -> None:
    own = (("tfopt", "int8", 1000, 0.8), ("tfopt", "int4", 900, 0.83))
    others = (("quantizer", "wi8", 1000, 0.82), ("quantizer", "wi4", 500, 0.6))
    found = script.files([points(script, *own, *others)])
    assert script.lost(found, ["int8"]) == [
        "quantizer wi4 (0.5 kB, 60.0 %): no recommended file is as small",
        "quantizer wi8 (1.0 kB, 82.0 %): `int8` -2.0 points; `int4` of tfopt is",
    ]
    assert len(script.lost(found, ["int8", "int4"])) == 1


def test_seeds_are_averaged_and_their_spread_shown(script: Any) -> None:
    one = points(script, ("tfopt", "int8", 1000, 0.8), ("converter", "int8", 1000, 0.82))
    two = points(script, ("tfopt", "int8", 1000, 0.9), ("converter", "int8", 1000, 0.94))
    text = script.section({0: one, 1: two}, ["int8"])
    assert "| 85.0 ± 7.1 |" in text
    assert "- converter int8 (1.0 kB, 88.0 %): `int8` -3.0 ± 1.4 points." in text


def test_a_file_that_one_seed_lacks_is_left_out(script: Any) -> None:
    one = points(script, ("tfopt", "int8", 1000, 0.8), ("tfopt", "int2", 500, 0.3))
    assert [file.name for file in script.files([one, one[:1]])] == ["int8"]
