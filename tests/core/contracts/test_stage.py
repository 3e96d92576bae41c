"""Which stage of a chain made the model quantized."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, quantizing_position


class Plain(Stage):
    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})


class Rounds(Stage):
    adds: ClassVar[frozenset[Trait]] = frozenset({"quantized"})


class Keeps(Stage):
    keeps: ClassVar[frozenset[Trait]] = frozenset({"quantized"})


@pytest.mark.parametrize(
    ("chain", "position"),
    [
        ([], None),
        ([Plain()], None),
        ([Plain(), Rounds()], 1),
        ([Rounds(), Keeps()], 0),
        ([Rounds(), Plain()], None),
        ([Rounds(), Plain(), Rounds(), Rounds()], 2),
    ],
)
def test_the_model_before_the_quantizing_stage_is_found_by_traits(chain: list[Stage], position: int | None) -> None:
    assert quantizing_position(chain) == position
