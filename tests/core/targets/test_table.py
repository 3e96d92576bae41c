"""Each target has only operators that exist, and refuses the modes it cannot run."""

from __future__ import annotations

import pytest
from ai_edge_litert import schema_py_generated as schema

from tfopt.core.config.quantization_modes import MODES
from tfopt.core.targets import core_ml, edge_tpu, gpu_delegate, tflite_micro
from tfopt.core.targets.table import TARGETS, describe_targets

KNOWN = {name for name in vars(schema.BuiltinOperator) if name.isupper()}


@pytest.mark.parametrize("module", [core_ml, gpu_delegate, tflite_micro])
def test_operators_are_those_of_the_schema(module: object) -> None:
    assert set(module.OPERATORS) <= KNOWN  # type: ignore[attr-defined]


def test_what_is_missing_is_listed_once_in_order() -> None:
    assert gpu_delegate.missing(["CONV_2D", "WHERE", "SHAPE", "WHERE"]) == ("WHERE", "SHAPE")
    assert core_ml.missing(["CONV_2D", "BATCH_MATMUL"]) == ("BATCH_MATMUL",)
    assert edge_tpu.missing(["CONV_2D", "GELU"]) == ("GELU",)


def test_small_devices_refuse_what_they_cannot_compute() -> None:
    allowed = {
        name: {mode for mode, row in MODES.items() if not target.refuses(row)} for name, target in TARGETS.items()
    }
    assert allowed["android"] == allowed["ios"] == allowed["web"] == set(MODES)
    assert allowed["edgetpu"] == {"int8"}
    assert {"none", "int8"} <= allowed["tflm"]
    assert not {"float16", "dynamic"} & allowed["tflm"]


def test_every_target_is_documented_and_its_defaults_are_allowed() -> None:
    text = describe_targets()
    for name, target in TARGETS.items():
        assert f"`{name}`" in text
        assert not target.refuses(MODES[target.quantize])
        assert target.not_checked.endswith(".")
