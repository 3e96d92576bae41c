"""The keys of one `.tflite` file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.config.files.tflite_variant import Variant


def test_one_scale_for_dense_kernels_is_for_int8_files() -> None:
    assert Variant.model_validate({"quantize": "int8", "dense_per_channel": False}).dense_per_channel is False
    for mode in ("none", "dynamic", "int16x8"):
        with pytest.raises(ValidationError, match="dense_per_channel needs quantize: int8"):
            Variant.model_validate({"quantize": mode, "dense_per_channel": False})
