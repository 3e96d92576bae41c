from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tfopt.core.config.allocation import GlobalAllocation, global_allocation, share_out

LAYERS = st.lists(st.lists(st.floats(0, 10), min_size=1, max_size=30), min_size=1, max_size=5)
SHARES = st.floats(0, 0.99)


def below(layers: list[list[float]]) -> Callable[[float], list[float]]:
    ordered = [sorted(layer) for layer in layers]
    return lambda threshold: [bisect_right(layer, threshold) / len(layer) for layer in ordered]


def fill(layers: list[list[float]], target: float, floor: float = 0.0, ceiling: float = 1.0) -> list[float]:
    largest = max(max(layer) for layer in layers)
    return share_out([len(layer) for layer in layers], below(layers), largest, target, floor, ceiling)


def test_the_smallest_weights_of_all_layers_go() -> None:
    assert fill([[1, 2, 3, 4], [3.5, 10, 11, 12]], 0.5) == pytest.approx([0.75, 0.25])
    assert fill([[1, 2, 3, 4], [9, 10, 11, 12]], 0.5) == pytest.approx([1.0, 0.0])


def test_a_ceiling_moves_zeros_to_the_other_layers() -> None:
    assert fill([[1, 2, 3, 4], [9, 10, 11, 12]], 0.5, ceiling=0.75) == pytest.approx([0.75, 0.25])


def test_a_floor_takes_zeros_from_the_other_layers() -> None:
    assert fill([[1, 2, 3, 4], [9, 10, 11, 12]], 0.5, floor=0.25) == pytest.approx([0.75, 0.25])


def test_floor_and_ceiling_give_way_to_the_schedule() -> None:
    assert fill([[1, 2], [3, 4]], 0.0, floor=0.1) == [0.0, 0.0]
    assert fill([[1, 2], [3, 4]], 0.9, ceiling=0.5) == pytest.approx([0.9, 0.9])


def test_equal_weights_share_the_last_jump() -> None:
    assert fill([[1] * 10, [1] * 30], 0.4) == pytest.approx([0.4, 0.4])


@given(LAYERS, SHARES, SHARES, SHARES)
def test_the_overall_sparsity_is_the_target_and_every_layer_is_within_its_bounds(
    layers: list[list[float]], target: float, one: float, other: float
) -> None:
    floor, ceiling = min(one, other), max(one, other)
    shares = fill(layers, target, floor, ceiling)
    sizes = [len(layer) for layer in layers]
    overall = sum(size * share for size, share in zip(sizes, shares, strict=True)) / sum(sizes)
    assert overall == pytest.approx(target, abs=1e-9)
    assert all(min(floor, target) - 1e-12 <= share <= max(ceiling, target) + 1e-12 for share in shares)


@given(LAYERS, SHARES, SHARES)
def test_more_zeros_never_give_a_layer_fewer(layers: list[list[float]], one: float, other: float) -> None:
    fewer, more = fill(layers, min(one, other)), fill(layers, max(one, other))
    assert all(later >= earlier - 1e-9 for earlier, later in zip(fewer, more, strict=True))


def test_a_floor_above_the_ceiling_is_refused() -> None:
    with pytest.raises(ValidationError, match="floor is 50%, above ceiling"):
        GlobalAllocation(floor=0.5, ceiling=0.4)


def test_the_allocation_may_be_a_word() -> None:
    assert global_allocation("uniform") is None
    assert global_allocation("global") == GlobalAllocation()
    assert global_allocation(GlobalAllocation(floor=0.1)) == GlobalAllocation(floor=0.1)


def test_bounds_that_the_final_sparsity_contradicts_are_named() -> None:
    assert GlobalAllocation(ceiling=0.5).problem(0.8) == (
        "ceiling", "allows a layer at most 50%, below schedule.final (80%): no way of sharing out reaches it",
    )  # fmt: skip
    found = GlobalAllocation(floor=0.5).problem(0.3)
    assert found is not None
    assert found[0] == "floor"
    assert GlobalAllocation().problem(0.8) is None
