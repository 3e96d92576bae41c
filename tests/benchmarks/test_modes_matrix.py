"""The matrix of models and TFLite modes: two cells here, all of them in the slow test."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tfopt.core.config.quantization_modes import MODES

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("modes_matrix")


def test_the_page_counts_cells_and_gives_each_reason_once(matrix: Any) -> None:
    held, refused = matrix.Cell(agreement=1.0), matrix.Cell(refused="int4: no kernel")
    broken = matrix.Cell(agreement=0.5, broken=("same_outputs: 50%",))
    rows = {("cnn", "dense"): {"none": held, "int4": refused}, ("lstm", "qat"): {"none": broken, "int4": refused}}
    page = matrix.page(rows, ["none", "int4"])
    assert page.startswith("4 cells: 1 hold every claim, 2 are refused before a file is made, 1 break a claim.")
    assert "| cnn | dense | 100% | refused |" in page
    assert "| lstm | qat | **50% broken** | refused |" in page
    assert "- cnn dense int4, lstm qat int4: no kernel" in page


@pytest.mark.tf
def test_a_model_in_two_modes_holds_every_claim(matrix: Any, tmp_path: Path) -> None:
    cells = matrix.row("cnn", "dense", ["int16x8", "int4"], tmp_path)
    assert {mode: (cell.refused, cell.broken) for mode, cell in cells.items()} == dict.fromkeys(
        ("int16x8", "int4"), ("", ())
    )


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("state", ["dense", "pruned", "clustered", "qat"])
@pytest.mark.parametrize("kind", ["cnn", "depthwise", "residual", "transformer", "lstm", "multi-input", "multi-output"])
def test_every_cell_is_a_file_or_refused_with_its_reason(matrix: Any, kind: str, state: str, tmp_path: Path) -> None:
    cells = matrix.row(kind, state, [*MODES], tmp_path)
    assert set(cells) == set(MODES)
    for mode, cell in cells.items():
        assert cell.refused or cell.agreement is not None, mode
        assert not [claim for claim in cell.broken if not claim.startswith("same_outputs")], (mode, cell.broken)
