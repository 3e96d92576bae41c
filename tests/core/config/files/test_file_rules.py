"""Rules of a file: which modes can be in one file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.config.files.file_rules import modes_of_rules
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import MODES


def test_what_can_be_in_one_file() -> None:
    floats = {name for name, mode in MODES.items() if not mode.integer_only}
    for name in MODES:
        if name in floats:
            assert set(modes_of_rules(name)) == floats
        else:
            assert set(modes_of_rules(name)) == {name, "none", "int4"}


@pytest.mark.parametrize(
    ("file", "rule"), [("int8", "int4_block32"), ("int8", "int16x8"), ("int16x8", "int8"), ("dynamic", "int8")]
)
def test_two_types_of_activations_are_refused_with_the_choices(file: str, rule: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Variant.model_validate({"quantize": file, "layers": [{"match": "logits", "quantize": rule}]})
    assert f"quantize: {rule} cannot be in a file of quantize: {file}, whose activations are" in str(raised.value)
    assert ", ".join(modes_of_rules(file)) in str(raised.value)


def test_a_file_with_float_activations_and_rules_is_for_the_quantizer() -> None:
    rules = [{"match": "logits", "quantize": "none"}]
    assert Variant.model_validate({"quantize": "dynamic", "layers": rules}).engine == "quantizer"
    assert Variant.model_validate({"quantize": "int8", "layers": rules}).engine == "converter"
    assert Variant(quantize="dynamic").engine == "converter"


@pytest.mark.parametrize("keys", [{"layers": [{"quantize": "int4"}]}, {"quantize": "dynamic", "algorithm": "octav"}])
def test_the_quantizer_writes_no_sparse_weights(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="sparse: true cannot be combined with"):
        Variant.model_validate({**keys, "sparse": True})
