"""Which stage of a chain made the model quantized."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tfopt.core.config.schedules import Constant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, quantizing_position, surviving_pruning
from tfopt.stages.prune import Prune
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train


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


def test_the_pruning_whose_zeros_survive_is_that_of_the_last_stage_that_prunes() -> None:
    first = Prune(epochs=1, schedule=Constant(final=0.5))
    last = Prune(epochs=1, schedule=Constant(final=0.8), block_size=(16, 1))
    train, qat = Train(epochs=1), Qat(epochs=1)
    assert surviving_pruning([train, first, last, qat]) is last
    assert surviving_pruning([first, train]) is None
    assert surviving_pruning([train, qat]) is None
    assert surviving_pruning([]) is None
