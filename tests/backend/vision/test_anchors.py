"""Anchors, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.vision.anchors import AnchorGrid


def test_they_stand_in_the_middle_of_each_position() -> None:
    grid = AnchorGrid((32, 64), strides=(16, 32), scales=(0.5, 1.0), ratios=(1.0, 4.0))
    boxes = grid.boxes()
    assert grid.cells == ((2, 4), (1, 2))
    assert boxes.shape == (2 * (8 + 2), 4)
    # The first: centre (8, 8), 16 pixels wide and high; then 32 wide, 8 high; then the next column.
    pixels = boxes * [64, 32, 64, 32]
    assert pixels[:3] == pytest.approx(np.array([[0, 0, 16, 16], [-8, 4, 24, 12], [16, 0, 32, 16]]))
    assert pixels[-1] == pytest.approx([48 - 32, 16 - 8, 48 + 32, 16 + 8])


def test_a_size_that_is_no_multiple_has_a_position_more() -> None:
    assert AnchorGrid((33, 15), (16,), (0.5,), (1.0,)).cells == ((3, 1),)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"strides": (8,)}, "a scale for each stride"),
        ({"strides": (16, 8)}, "rising powers of 2"),
        ({"strides": (6, 12)}, "rising powers of 2"),
        ({"ratios": ()}, "ratios of anchors must be"),
        ({"scales": (0.1, 0)}, "scales of anchors must be"),
    ],
)
def test_bad_grids_are_refused(keys: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnchorGrid((64, 64), **keys)
