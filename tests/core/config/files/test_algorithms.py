"""The table of algorithms: which files can have which, and what a recipe is told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.config.files.algorithms import ALGORITHMS, algorithms_for
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import OPERATORS
from tfopt.core.config.quantization_modes import MODES


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_is_for_operators_with_weights_and_for_some_modes(name: str) -> None:
    assert ALGORITHMS[name].operators <= OPERATORS
    assert any(ALGORITHMS[name].applies_to(mode) for mode in MODES.values())


def test_which_modes_have_a_choice() -> None:
    expected = {
        "none": (),
        "float16": (),
        "dynamic": ("min_max", "mse", "octav", "gptq", "hadamard"),
        "int8": (),
        "int16x8": (),
        "weight_only_int8": ("min_max", "mse", "octav", "gptq"),
        "int4": ("min_max", "mse", "octav", "gptq", "hadamard"),
        **dict.fromkeys(("int4_block32", "int4_block64", "int4_block128"), ("min_max", "octav", "gptq", "hadamard")),
        "int2": ("min_max", "octav", "gptq", "hadamard"),
    }
    assert {name: algorithms_for(MODES[name]) for name in expected} == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"quantize": "int2", "algorithm": "mse"},
            "mse is not for quantize: int2: it can be min_max, octav, gptq, hada",
        ),
        ({"quantize": "int8", "algorithm": "octav"}, "octav is not for quantize: int8: such a file has no choice"),
        (
            {"quantize": "int8", "algorithm": "octav", "layers": [{"match": "x", "quantize": "int4"}]},
            "octav is not for quantize: int8: such a file has no choice",
        ),
        ({"algorithm": "min_max"}, "min_max is not for quantize: none: such a file has no choice"),
        ({"quantize": "int4", "algorithm": "best"}, "'min_max', 'mse', 'octav', 'gptq' or 'hadamard'"),
    ],
)
def test_an_algorithm_that_does_not_apply_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Variant.model_validate(keys)


def test_a_rule_can_be_what_an_algorithm_is_for() -> None:
    rules = [{"type": "Embedding", "quantize": "int4"}]
    variant = Variant.model_validate({"algorithm": "octav", "layers": rules})
    assert variant.engine == "quantizer"
    assert not variant.calibrated
    assert Variant(quantize="int4", algorithm="gptq").calibrated
