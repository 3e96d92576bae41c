"""The block `calibration` of a file, and `ptq`: what is refused when a recipe is read, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tfopt.core.config.files.calibration import Calibration
from tfopt.core.config.files.tflite_variant import Variant


def variant(**keys: Any) -> Variant:
    return Variant.model_validate(keys)


def test_a_number_and_a_block_mean_the_same() -> None:
    assert variant(quantize="int8", calibration=64).calibrating == Calibration(examples=64)
    assert variant(quantize="int8", calibration={"examples": 64}).calibrating == Calibration(examples=64)
    assert variant(quantize="int8").calibrating == Calibration()


def test_what_is_left_out_is_not_written() -> None:
    written = variant(quantize="int8").model_dump(mode="json")
    assert written["calibration"] == 256
    assert "ptq" not in written
    block = {"examples": 64, "select": "balanced", "range": "percentile", "percentile": "99.9%", "equalize": True}
    again = variant(**variant(quantize="int8", calibration=block, ptq=True).model_dump(mode="json"))
    assert (again.ptq, again.calibrating.share, again.calibrating.equalize) == (True, 0.999, True)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"quantize": "int8", "calibration": {"select": "balancd"}}, "Did you mean 'balanced'"),
        ({"quantize": "int8", "calibration": {"range": "mse", "percentile": "99%"}}, "is for range: percentile"),
        ({"quantize": "int8", "calibration": {"range": "percentile", "percentile": "40%"}}, "above 50%"),
        ({"quantize": "int8", "calibration": {"examples": 0}}, "greater than or equal to 1"),
        ({"quantize": "int8", "calibration": {"smooth": 2}}, "less than or equal to 1"),
        ({"quantize": "int8", "calibration": 0}, "greater than or equal to 1"),
        ({"quantize": "dynamic", "calibration": {"examples": 9}}, "needs quantize: int8"),
        ({"quantize": "dynamic", "calibration": 9}, "needs quantize: int8"),
        ({"quantize": "int4", "algorithm": "gptq", "calibration": {"range": "mse"}}, "is about activations"),
        ({"ptq": True}, "needs a mode that quantizes"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        variant(**keys)


def test_a_file_without_the_stage_is_not_from_qat() -> None:
    assert variant(quantize="int8").from_qat
    assert not variant(quantize="int8", ptq=True).from_qat


def test_what_differs_from_the_default_in_words() -> None:
    assert Calibration(examples=9).words() == ""
    words = Calibration.model_validate(
        {"select": "a:b", "range": "percentile", "equalize": True, "smooth": 0.5}
    ).words()
    assert words == "select a:b, range percentile 99.99%, equalized, smoothed 0.5"
