"""The base of all that a recipe says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.config.schedules import Constant, Polynomial
from tfopt.core.language.annotations import blocks_at, keys_of, kind_of
from tfopt.core.language.block import Block
from tfopt.stages.prune import Prune


class Inner(Block):
    """What is nested."""

    count: int = 1
    """How many."""
    rate: float | None = None
    """How fast."""


class Outer(Block):
    """What nests."""

    name: str
    """What it is called."""
    pair: tuple[int, int] = (1, 2)
    """Two numbers."""
    weights: dict[int, float] = {}
    """A number for each number."""
    inner: Inner = Inner()
    """Another block."""
    anything: dict[str, object] = {}
    """Whatever the user says."""


def test_a_list_is_a_tuple_and_a_mapping_a_block() -> None:
    outer = Outer.model_validate({"name": "a", "pair": [3, 4], "inner": {"count": 2}, "weights": {0: 1, "1": 2.0}})
    assert outer.pair == (3, 4)
    assert outer.inner.count == 2
    assert outer.weights == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize("count", [True, "2", 2.0, None])
def test_only_a_number_is_a_number(count: object) -> None:
    with pytest.raises(ValidationError, match="count"):
        Outer.model_validate({"name": "a", "inner": {"count": count}})


def test_a_number_is_finite() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Outer.model_validate({"name": "a", "inner": {"rate": float("inf")}})


def test_what_was_left_out_is_not_written_but_a_null_of_the_user_is() -> None:
    outer = Outer(name="a", anything={"x": None})
    written = outer.model_dump(mode="json")
    assert written["inner"] == {"count": 1}
    assert written["anything"] == {"x": None}
    assert Outer.model_validate(written) == outer


def test_the_blocks_at_a_path_are_found_by_keys_and_by_pydantic_s_tags() -> None:
    assert Polynomial in blocks_at(Prune, ("schedule",))
    assert blocks_at(Prune, ("schedule", "constant")) == [Constant]
    assert "skip" in keys_of(blocks_at(Prune, ("layers", 0)))
    assert Constant in blocks_at(Prune, ("layers", 0, "schedule"))
    assert blocks_at(Prune, ("epochs",)) == []


def test_the_kind_of_a_block() -> None:
    assert kind_of(Constant) == "constant"
    assert kind_of(Inner) is None
