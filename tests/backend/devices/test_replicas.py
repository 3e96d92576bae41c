"""The number of devices changes results by rounding only: the same masks, ranges and metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.children.replicas import Arrays, Epoch, run_chain
from tests.support.models import small_model

pytestmark = pytest.mark.tf


def assert_same(one: tuple[Arrays, list[Epoch]], other: tuple[Arrays, list[Epoch]]) -> None:
    (ours, history), (theirs, other_history) = one, other
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array == 0, theirs[name] == 0, err_msg=f"zeros of {name}")
        np.testing.assert_allclose(array, theirs[name], rtol=1e-3, atol=1e-4, err_msg=name)
    for entry, same in zip(history, other_history, strict=True):
        assert entry.keys() == same.keys()
        for key in entry.keys() - {"event", "stage", "seconds"}:
            assert entry[key] == pytest.approx(same[key], rel=1e-3, abs=6e-3), (key, entry, same)


def test_two_devices_find_the_masks_of_one(tmp_path: Path) -> None:
    """The child checks a range of qat on two replicas, too; all of qat on several devices is in the slow tests."""
    found = run_chain([1, 2], ["prune"], tmp_path)

    assert_same(found[1], found[2])


@pytest.mark.slow
def test_mixed_precision_on_two_devices(tmp_path: Path) -> None:
    ((arrays, history),) = run_chain([2], ["half"], tmp_path).values()

    assert np.isfinite(history[-1]["loss"])
    assert all(np.isfinite(array).all() for array in arrays.values())
    for index, untrained in enumerate(small_model().get_weights()):
        assert not np.array_equal(arrays[f"half/{index}"], untrained), index


@pytest.mark.slow
@pytest.mark.parametrize("stages", [["train"], ["taylor"], ["cluster", "qat"]])
def test_four_devices_too_with_gradients_clusters_and_small_last_batches(stages: list[str], tmp_path: Path) -> None:
    """One after the other, they made 1e-3 of a rounding error of `train` (4e-5) on one kind of processor."""
    found = run_chain([1, 2, 4], stages, tmp_path)

    assert_same(found[1], found[2])
    assert_same(found[1], found[4])
