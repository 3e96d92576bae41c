"""Kernels that differ: rounding that adds up, an operator that one lacks, a known fault, a real disagreement."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.claims.kernels import Parting, RuntimeCheck, kernels_claim
from tfopt.core.config.files.tflite_variant import Variant

INT8 = Variant(quantize="int8", io="int8")
EQUAL, DIFFERENT = OutputComparison(64, share=1.0), OutputComparison(64, share=0.5)


def parting(operator: str = "ADD", builtin: float = 1, reference: float = 1, others: float = 0) -> Parting:
    return Parting(operator, "int8", "head", {"builtin": builtin, "reference": reference}, others)


def test_a_resolver_that_lacks_an_operator_breaks_no_claim() -> None:
    claim = kernels_claim(INT8, RuntimeCheck(kernels=EQUAL, compared_on="builtin", lacking=("TILE (version 3)",)))
    assert claim.held
    assert claim.claim == "runs on XNNPACK and on the built-in kernels, with the same outputs"
    assert claim.found.endswith("; LiteRT's reference kernels lack TILE (version 3)")


def test_a_file_that_runs_on_none_of_them_is_broken() -> None:
    check = RuntimeCheck(reference_error="crashed", compared_on="builtin", lacking=("TILE (version 3)",))
    claim = kernels_claim(INT8, check)
    assert not claim.held
    assert claim.found == "built-in kernels: crashed; LiteRT's reference kernels lack TILE (version 3)"


def test_rounding_that_adds_up_is_no_disagreement() -> None:
    claim = kernels_claim(INT8, RuntimeCheck(kernels=DIFFERENT, operators=(parting(), parting("MUL", 2, 1, 1))))
    assert claim.held
    assert "no operator differs by more than 2 steps between kernels" in claim.found
    assert "rounding that adds up over the layers" in claim.found


def test_a_real_disagreement_names_operator_and_layer() -> None:
    operators = (parting(), parting("MUL", builtin=90, reference=90, others=0))
    claim = kernels_claim(INT8, RuntimeCheck(kernels=DIFFERENT, operators=operators))
    assert not claim.held
    assert "the kernels part at MUL (layer head), by up to 90 steps on the same inputs; only XNNPACK" in claim.found


def test_a_known_fault_of_litert_is_named_and_not_the_file_s() -> None:
    wrong = parting("SUM", builtin=0, reference=121, others=121)
    assert wrong.odd == "reference"
    claim = kernels_claim(INT8, RuntimeCheck(kernels=EQUAL, compared_on="builtin", operators=(parting(), wrong)))
    assert claim.held
    assert "a known fault of LiteRT: SUM (layer head), by up to 121 steps" in claim.found
    worse = RuntimeCheck(kernels=DIFFERENT, compared_on="builtin", operators=(parting("MUL", 9, 9),))
    assert not kernels_claim(INT8, worse).held


@pytest.mark.parametrize(
    ("differences", "odd"),
    [((0, 0, 0), None), ((9, 9, 0), "default"), ((0, 9, 9), "reference"), ((9, 0, 9), "builtin"), ((9, 9, 9), None)],
)
def test_the_odd_kernels_are_those_that_differ_from_both_others(differences: Any, odd: str | None) -> None:
    assert parting("ADD", *differences).odd == odd


def test_nothing_is_known_of_operators() -> None:
    claim = kernels_claim(INT8, RuntimeCheck(kernels=DIFFERENT))
    assert (claim.held, claim.found) == (False, "equal predictions: 50.00% of 64 examples")


def test_regression_compares_the_error_over_the_signal() -> None:
    close = OutputComparison(64, difference=0.2, spread=2.0, relative_error=0.02)
    assert kernels_claim(INT8, RuntimeCheck(kernels=close)).held
    far = OutputComparison(64, difference=0.2, spread=2.0, relative_error=0.2)
    assert not kernels_claim(INT8, RuntimeCheck(kernels=far)).held
