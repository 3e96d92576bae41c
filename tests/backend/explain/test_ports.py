"""Arrays of the data find the inputs of a file, or an error names both."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.explain.ports import check_one_output, inputs_of, same_shape
from tfopt.core.records.report import AuditRecord, PortRecord
from tfopt.errors import ExportError


def audit(**shapes: list[int]) -> AuditRecord:
    ports = [PortRecord(name=name, dtype="float32", shape=shape) for name, shape in shapes.items()]
    return AuditRecord(inputs=ports, outputs=[], operators={}, float_operators={}, sparsity=0.0, tensors=[])


def test_a_single_array_goes_into_the_single_input() -> None:
    values = np.zeros((5, 4))
    assert inputs_of("f", audit(x=[-1, 4]), {"": values})["x"] is values


def test_several_are_matched_by_name_then_by_shape() -> None:
    arrays = {"a": np.zeros((5, 4)), "b": np.zeros((5, 2))}
    found = inputs_of("f", audit(**{"serving_default_b:0": [1, 2], "args_0": [1, 4]}), arrays)
    assert [*found] == ["args_0", "serving_default_b:0"]
    assert found["serving_default_b:0"] is arrays["b"]
    assert found["args_0"] is arrays["a"]


@pytest.mark.parametrize(
    ("file", "arrays", "message"),
    [
        (audit(x=[1, 4]), {"": np.zeros((5, 3))}, "takes examples of shape 4, but those of the data have 3"),
        (audit(x=[1, 4]), {"": np.zeros((5, 4, 1))}, "but those of the data have 4×1"),
        (audit(x=[1, 4], y=[1, 2]), {"": np.zeros((5, 4))}, "has 2 inputs"),
        (audit(p=[1, 4], q=[1, 4]), {"a": np.zeros((5, 4)), "b": np.zeros((5, 4))}, "It is not known which array"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(file: AuditRecord, arrays: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ExportError, match=message) as raised:
        inputs_of("f.tflite", file, arrays)
    assert raised.value.code == "incompatible_shapes"


def test_several_outputs_are_refused() -> None:
    with pytest.raises(ExportError, match="has 2 outputs: a, b"):
        check_one_output("f", ["a", "b"])


def test_outputs_of_other_sizes_are_refused() -> None:
    assert same_shape("f", np.zeros((5, 1)), "m", np.zeros(5)).shape == (5,)
    with pytest.raises(ExportError, match=r"f returns outputs of shape 3 .* but m returns 2"):
        same_shape("f", np.zeros((5, 3)), "m", np.zeros((5, 2)))
