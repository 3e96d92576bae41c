"""Average precision, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.vision.average_precision import average_precision, mean_average_precision
from tfopt.backend.vision.detections import Detections

ONE, OTHER, FAR = [0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9], [0.0, 0.6, 0.2, 0.9]


def found(*boxes: tuple[list[float], int, float]) -> Detections:
    each = list(zip(*boxes, strict=True)) or [[], [], []]
    return Detections(np.array(each[0], float).reshape(-1, 4), np.array(each[1], int), np.array(each[2], float))


def objects(*boxes: tuple[list[float], int]) -> tuple[np.ndarray, np.ndarray]:
    each = list(zip(*boxes, strict=True)) or [[], []]
    return np.array(each[0], float).reshape(-1, 4), np.array(each[1], int)


def test_everything_found_and_nothing_else() -> None:
    wanted = [objects((ONE, 0), (OTHER, 1)), objects((FAR, 0))]
    assert mean_average_precision([found((ONE, 0, 0.9), (OTHER, 1, 0.6)), found((FAR, 0, 0.2))], wanted) == 1
    assert mean_average_precision([found(), found()], wanted) == 0
    assert mean_average_precision([], []) == 0


def test_ranked_over_all_images() -> None:
    wanted = [objects((ONE, 0)), objects((OTHER, 0))]
    # Right, wrong, right by falling score: precision 1 at half the recall, 2/3 at all of it.
    detected = [found((ONE, 0, 0.9), (FAR, 0, 0.8)), found((OTHER, 0, 0.7))]
    assert average_precision(detected, wanted, 0) == pytest.approx((1 + 2 / 3) / 2)
    # Wrong first: 1/2 then 2/3, and the better of later ones counts.
    detected = [found((ONE, 0, 0.8), (FAR, 0, 0.9)), found((OTHER, 0, 0.7))]
    assert average_precision(detected, wanted, 0) == pytest.approx(2 / 3)


def test_a_double_is_wrong_and_so_is_a_box_that_overlaps_too_little() -> None:
    wanted = [objects((ONE, 0), (OTHER, 0))]
    assert average_precision([found((ONE, 0, 0.9), (ONE, 0, 0.8), (OTHER, 0, 0.7))], wanted, 0) == pytest.approx(
        (1 + 2 / 3) / 2
    )
    # An overlap of 1/2 along one axis: 1/3 over the union.
    assert average_precision([found(([0.2, 0, 0.6, 0.4], 0, 0.9))], [objects((ONE, 0))], 0) == 0
    assert average_precision([found(([0.2, 0, 0.6, 0.4], 0, 0.9))], [objects((ONE, 0))], 0, iou=0.3) == 1


def test_classes_without_objects_do_not_count() -> None:
    wanted = [objects((ONE, 2))]
    assert mean_average_precision([found((ONE, 2, 0.5), (OTHER, 1, 0.9))], wanted) == 1
