"""How weights are stored that no kernel reads in the mode of their file."""

from __future__ import annotations

import pytest

from tfopt.core.config.files.weight_kernels import reason_no_kernel, stored_as
from tfopt.core.config.quantization_modes import MODES


@pytest.mark.parametrize(
    ("mode", "operator", "row", "stored"),
    [
        ("int4", "CONV_2D", 5, "int4"),
        ("int4", "DEPTHWISE_CONV_2D", 3, "int8"),
        ("int4", "EMBEDDING_LOOKUP", 33, "int8"),
        ("int4_block32", "FULLY_CONNECTED", 64, "int4 in blocks of 32"),
        ("int4_block32", "FULLY_CONNECTED", 48, "int8"),
        ("int4_block32", "CONV_2D", 64, "int8"),
        ("int2", "CONV_2D", 64, "int8"),
        ("int2", "EMBEDDING_LOOKUP", 64, "int2"),
        ("weight_only_int8", "TRANSPOSE_CONV", 4, "int8"),
        ("int16x8", "FULLY_CONNECTED", 16, "int8"),
        ("int4", "CONV_3D", 4, None),
        ("none", "CONV_2D", 4, None),
    ],
)
def test_weights_are_as_small_as_a_kernel_reads(mode: str, operator: str, row: int, stored: str | None) -> None:
    found = stored_as(MODES[mode], operator, row)
    assert (None if found is None else found.described_weights) == stored


def test_the_reason_names_operator_weights_and_sizes() -> None:
    assert reason_no_kernel(MODES["int4_block64"], "CONV_2D", 64) == (
        "LiteRT has no kernel for CONV_2D with int4 in blocks of 64 weights"
    )
    assert reason_no_kernel(MODES["int4_block64"], "FULLY_CONNECTED", 96) == (
        "a row of 96 weights cannot be divided into blocks of 64"
    )
    assert "multiple of 2" in str(reason_no_kernel(MODES["int4"], "EMBEDDING_LOOKUP", 33))


def test_the_lstm_operator_has_int8_weights_where_it_may_round_its_inputs() -> None:
    found = {name: stored_as(MODES[name], "UNIDIRECTIONAL_SEQUENCE_LSTM", 16) for name in MODES}
    assert {name for name, mode in found.items() if mode is not None and mode.weights == "int8"} == {
        name for name, mode in MODES.items() if not mode.stores_floats and not mode.weights_only
    }
    assert "rounds its inputs" in str(reason_no_kernel(MODES["weight_only_int8"], "UNIDIRECTIONAL_SEQUENCE_LSTM", 16))
