"""Encodings that some kernel computes wrongly have a fault with a remedy; those that all compute right have none."""

from __future__ import annotations

import pytest

from tfopt.core.config.files.sparse_encoding import Encoded, fault

DENSE = "FULLY_CONNECTED"


@pytest.mark.parametrize(
    "encoded",
    [
        Encoded(DENSE, "float32", "float32", 1, 17),
        Encoded(DENSE, "float32", "float32", 4, 256),
        Encoded(DENSE, "float16", "float32", 1, 256),
        Encoded(DENSE, "int8", "int8", 16, 256),
        Encoded("CONV_2D", "float32", "float32", 1, 64),
        Encoded("CONV_2D", "float16", "float32", 1, 64),
        Encoded("CONV_2D", "int8", "int8", 1, 64),
        Encoded("DEPTHWISE_CONV_2D", "int8", "int8", 1, 64),
    ],
    ids=str,
)
def test_right_on_every_kernel(encoded: Encoded) -> None:
    assert fault(encoded) is None


@pytest.mark.parametrize(
    ("encoded", "effect"),
    [
        (Encoded(DENSE, "float16", "float32", 4, 256), "NaN"),
        (Encoded(DENSE, "float32", "float32", 4, 18), "18 inputs are no multiple of 4"),
        (Encoded(DENSE, "int8", "int8", 1, 256), "XNNPACK refuses"),
        (Encoded(DENSE, "int8", "int8", 16, 24), "24 inputs are no multiple of 16"),
        (Encoded(DENSE, "int8", "float32", 1, 256), "XNNPACK refuses"),
        (Encoded(DENSE, "int8", "float32", 16, 256), "wrong outputs, without an error"),
        (Encoded("CONV_2D", "int8", "float32", 1, 64), "CONV_2D node"),
        (Encoded(DENSE, "int8", "int16", 16, 256), "no kernel"),
    ],
    ids=str,
)
def test_wrong_on_some_kernel(encoded: Encoded, effect: str) -> None:
    found = fault(encoded)
    assert found is not None
    assert effect in found.effect
    assert found.remedy.endswith(".")
