"""What is said about calibration before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.digits import digits
from tfopt.backend.calibration.preflight import calibration_preflight
from tfopt.backend.data.splits import Data
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight


def found(*traits: Trait, data: Data | None = None, **keys: Any) -> Preflight:
    variant = Variant.model_validate({"quantize": "int8", **keys})
    return calibration_preflight(None, {"file": variant}, frozenset(traits), data or digits())


def test_the_default_has_nothing_to_say() -> None:
    assert found() == found("quantized") == found("quantized", ptq=True) == Preflight()


def test_ptq_without_a_stage_that_quantizes_is_refused() -> None:
    (mistake,) = found("trained", ptq=True).problems
    assert (mistake.path, mistake.code) == (("file", "ptq"), "meaningless_key")
    assert "the file is the same without it" in mistake.message


@pytest.mark.parametrize(("key", "value"), [("range", "mse"), ("equalize", True), ("smooth", 0.5)])
def test_what_changes_ranges_is_refused_where_training_learns_them(key: str, value: Any) -> None:
    (mistake,) = found("quantized", calibration={key: value}).problems
    assert mistake.path == ("file", "calibration", key)
    assert "ptq: true" in mistake.message


def test_a_selection_that_fails_is_a_mistake_at_its_key() -> None:
    (mistake,) = found(calibration={"select": "balanced", "examples": 3}).problems
    assert (mistake.path, mistake.code) == (("file", "calibration", "examples"), "too_few_examples")
    regression = digits()
    targets = np.linspace(0, 1, len(regression.train))
    regression = Data(
        type(regression.train)(regression.train.inputs, targets), *[regression.test] * 2, source="numbers"
    )
    (mistake,) = found(data=regression, calibration={"select": "balanced"}).problems
    assert (mistake.path, mistake.code) == (("file", "calibration", "select"), "not_classes")


def test_one_example_is_a_warning() -> None:
    (warning,) = found(calibration=1).warnings
    assert "one calibration example" in warning
