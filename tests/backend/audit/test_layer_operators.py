"""Every operator of a file belongs to a Keras layer."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.exporting import Exported
from tfopt.backend.audit.layer_operators import layer_operators

pytestmark = pytest.mark.tf


def test_operators_of_a_file_by_layer(exported: Exported) -> None:
    names = [layer.name for layer in exported.model.layers]
    found = layer_operators(exported.file("float_io"), names)
    assert found == {
        "stem": ("CONV_2D",),
        "depth": ("DEPTHWISE_CONV_2D",),
        "flat": ("RESHAPE",),
        "hidden": ("FULLY_CONNECTED",),
        "digit": ("FULLY_CONNECTED", "SOFTMAX"),
    }
    audit = exported.records["float_io"].audit
    assert audit is not None
    borders = Counter(audit.operators) - Counter(name for operators in found.values() for name in operators)
    assert borders == {"QUANTIZE": 1, "DEQUANTIZE": 1}
    assert (audit.inner_conversions, audit.activations["float32"]) == ({}, 2)
