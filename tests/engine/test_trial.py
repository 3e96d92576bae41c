"""What a plan says about the files of a trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tfopt.core.contracts.trial import TrialConversion
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.engine.trial import _warnings

FLOAT = TrialConversion("int8", "int8", {"CAST": 1, "ELU": 1}, {"CAST": 1, "ELU": 1}, ("conv", "bend"))


@dataclass
class Planned:
    """The parts of a plan that its warnings depend on."""

    warnings: tuple[str, ...] = ()
    layers: tuple[LayerPreflight, ...] = ()
    recipe: Any = field(default_factory=lambda: type("Recipe", (), {"stages": (), "target": None}))


def said(file: TrialConversion, **plan: Any) -> list[str]:
    return list(_warnings(Planned(**plan), (file,)))  # type: ignore[arg-type]


def test_float_layers_that_no_rule_foretold_are_named() -> None:
    (warning,) = said(FLOAT, warnings=("int8: bend stays float: no integer kernel.", "conv_1 and block/conv: float"))
    assert warning.startswith("int8: by a trial conversion, conv will compute in float: the claim")
    assert said(FLOAT, warnings=("int8: bend stays float", "int8: conv stays float")) == []


def test_what_the_engine_of_a_file_leaves_in_float_is_said_of_each_file_and_breaks_no_claim() -> None:
    file = TrialConversion(
        "int16x8", "int16x8", {"WHILE": 1}, {"WHILE": 1}, ("cell",), float_reasons={"cell": "a loop computes in float"}
    )
    other_file = ("int8: cell stays float: TFLite runs it as a loop.",)
    assert said(file, warnings=other_file) == ["int16x8: cell stays float: a loop computes in float."]


@pytest.mark.parametrize(
    "file",
    [TrialConversion("float32", "none", {"ELU": 1}, {"ELU": 1}, ("bend",)), TrialConversion("a", "int8", {"ADD": 1})],
)
def test_float_files_and_integer_files_need_no_warning(file: TrialConversion) -> None:
    assert said(file) == []


def test_a_file_that_cannot_be_made_says_why() -> None:
    refused = TrialConversion(
        "int8", "int8", refused="the converter crashed with SIGSEGV. It fails from layer 'gru' on."
    )
    assert said(refused) == [
        "int8: a file of the untrained model cannot be made: the converter crashed with SIGSEGV. It fails from layer "
        "'gru' on."
    ]
