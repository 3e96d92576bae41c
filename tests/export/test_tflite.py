"""What the tflite target finds out before training without looking at layers: calibration and budgets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tfopt.core.config.budgets import Budget
from tfopt.core.config.quantization_modes import MODES
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportWorkload
from tfopt.export.keras import Keras
from tfopt.export.saved_model import SavedModel
from tfopt.export.tflite import Tflite

PARAMETERS = 10_000


def target(**variant: object) -> Tflite:
    return Tflite.model_validate({"file": variant})


@pytest.mark.parametrize("mode", MODES)
def test_a_file_needs_most_of_the_bytes_of_its_weights(mode: str) -> None:
    least = target(quantize=mode).least_bytes("file", PARAMETERS)
    assert least == round(0.9 * PARAMETERS * MODES[mode].bytes_per_parameter)


def test_of_sparse_files_and_those_of_other_targets_nothing_is_known() -> None:
    assert target(sparse=True).least_bytes("file", PARAMETERS) is None
    assert target().least_bytes("keras", PARAMETERS) is None


def test_a_budget_below_the_size_of_the_weights_is_a_warning() -> None:
    budgets = (
        Budget("file", "bytes", 8_999, at_least=False),
        Budget("file", "bytes", 9_000, at_least=False),
        Budget("file", "gzip_bytes", 1, at_least=False),
        Budget("other", "bytes", 1, at_least=False),
    )
    workload = ExportWorkload(parameters=PARAMETERS, budgets=budgets)
    (warning,) = target(quantize="int8")._budget_warnings(workload)
    assert warning == (
        "file.bytes: 8,999 bytes cannot be met: 10,000 parameters alone take about 9,000 bytes with quantize: int8 "
        "(sparsity shrinks the gzipped file, not this one)."
    )


def test_more_calibration_than_examples_is_a_warning() -> None:
    int8 = target(quantize="int8", calibration=64)
    assert not list(int8._calibration_warnings(ExportWorkload(examples=64)))
    assert list(int8._calibration_warnings(ExportWorkload(examples=63))) == [
        "file: calibration asks for 64 examples, the training split has 63; all of them are used."
    ]
    both = Tflite.model_validate({name: {"quantize": "int8"} for name in ("a", "b")})
    assert [warning.partition(":")[0] for warning in both._calibration_warnings(ExportWorkload(examples=63))] == [
        "a, b"
    ]
    assert not list(target(quantize="dynamic")._calibration_warnings(ExportWorkload(examples=1)))


def test_sensitivity_without_a_metric_of_one_output_is_a_warning() -> None:
    losses = {"loss": {"boxes": "mse", "kind": "sparse_categorical_crossentropy"}}
    apart = Compile.model_validate(losses)
    joined = Compile.model_validate({**losses, "metrics": {"model": ["mine:both"]}, "main_metric": "both"})
    int8 = target(quantize="int8", sensitivity=True)
    assert not list(int8._sensitivity_warnings(ExportWorkload(compile=apart)))
    (warning,) = int8._sensitivity_warnings(ExportWorkload(compile=joined))
    assert warning.startswith("file: sensitivity is measured on one output, but both is of all outputs together")
    assert not list(target()._sensitivity_warnings(ExportWorkload(compile=joined)))


@pytest.mark.parametrize("other", [Keras(), SavedModel()])
def test_other_targets_have_nothing_to_report(other: Keras | SavedModel) -> None:
    found = other.preflight(SimpleNamespace(layers=[]), ExportWorkload())
    assert (found.problems, found.warnings) == ((), ())
