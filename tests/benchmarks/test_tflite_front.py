"""The table of accuracy against bytes says where tfopt is not on the front."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, imported from its folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("tflite_front")


def points(script: Any, *files: tuple[str, str, int, float]) -> list[Any]:
    return [script.Point(*file) for file in files]


def test_what_is_smaller_and_more_accurate_beats(script: Any) -> None:
    own, other = ("tfopt", "int8", 1000, 0.8), ("converter", "int8", 1005, 0.79)
    table, lost = script.front([points(script, own, other)])
    assert lost == []
    assert "| converter | `int8` | 1.0 kB | 79.0 | tfopt int8 (+1.0) |" in table
    text = script.section("ds_cnn", {0: points(script, own, other)})
    assert text.endswith("there is one of tfopt that is no larger (1 % at most) and no less accurate (seed 0).\n")


def test_where_tfopt_is_not_on_the_front_is_said(script: Any) -> None:
    files = points(
        script, ("tfopt", "int8", 1000, 0.8), ("quantizer", "wi8", 1000, 0.82), ("quantizer", "wi4", 500, 0.6)
    )
    _, lost = script.front([files])
    assert lost == [
        "quantizer wi8 (1.0 kB, 82.0 %): int8 of tfopt, 80.0 %",
        "quantizer wi4 (0.5 kB, 60.0 %): no file of tfopt is as small",
    ]


def test_seeds_are_averaged_and_their_spread_shown(script: Any) -> None:
    one, two = points(script, ("tfopt", "int8", 1000, 0.8)), points(script, ("tfopt", "int8", 1000, 0.9))
    table, _ = script.front([one, two])
    assert "| 85.0 ± 7.1 |" in table
