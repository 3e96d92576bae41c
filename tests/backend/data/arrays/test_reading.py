"""Arrays of examples that are not in memory: read in parts, selected, stored."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.data.arrays import reading
from tfopt.backend.data.arrays.reading import in_memory, is_in_memory, parts, slices
from tfopt.backend.data.arrays.sparse import SparseRows
from tfopt.backend.data.arrays.stored import StoredRows, save_rows, write_rows
from tfopt.backend.data.arrays.views import ChangedRows, extremes, of_type, selected, values_of
from tfopt.backend.data.splits import Data, Split
from tfopt.errors import StageError

VALUES = np.arange(60, dtype=np.int32).reshape(10, 3, 2)


@pytest.fixture
def stored(tmp_path: Path) -> StoredRows:
    write_rows(tmp_path / "x.npy", VALUES.shape, VALUES.dtype, (VALUES[:4], VALUES[4:]))
    return StoredRows(tmp_path / "x.npy")


def test_a_stored_array_is_read_like_an_array(stored: StoredRows) -> None:
    assert (stored.shape, stored.dtype, stored.ndim, stored.nbytes, len(stored)) == ((10, 3, 2), np.int32, 3, 240, 10)
    for rows in (slice(2, 5), slice(None), np.array([7, 1, 1, -1]), 4, -1, np.arange(10) > 7, np.array([], int)):
        np.testing.assert_array_equal(stored[rows], VALUES[rows])
    np.testing.assert_array_equal(stored[:2, 1], VALUES[:2, 1])
    np.testing.assert_array_equal(stored[3, 1], VALUES[3, 1])
    np.testing.assert_array_equal(stored[..., 0], VALUES[..., 0])
    pairs = np.array([4, 0]), np.array([2, 1])
    np.testing.assert_array_equal(stored[pairs], VALUES[pairs])
    np.testing.assert_array_equal(stored[pairs[0], :, 1], VALUES[pairs[0], :, 1])
    np.testing.assert_array_equal(np.load(stored.path), VALUES)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored))[5], VALUES[5])
    with pytest.raises(IndexError):
        stored[10]


def test_rows_are_selected_and_changed_when_they_are_read(stored: StoredRows) -> None:
    some = selected(selected(stored, np.array([8, 2, 5])), np.array([2, 0]))
    assert not is_in_memory(some)
    np.testing.assert_array_equal(some[:], VALUES[[5, 8]])
    halves = ChangedRows(some, lambda values: values / 2, np.dtype(np.float64))
    np.testing.assert_array_equal(halves[1], VALUES[8] / 2)
    np.testing.assert_array_equal(of_type(some, np.dtype(np.float32))[:], VALUES[[5, 8]].astype(np.float32))


def test_parts_are_bounded_and_complete(stored: StoredRows) -> None:
    assert [len(part) for part in parts(stored, 72)] == [3, 3, 3, 1]
    assert [rows.stop for rows in slices(stored, 1)] == list(range(1, 11))
    assert len(list(parts(VALUES, 1))) == 1
    assert extremes(stored) == extremes(VALUES) == (0, 59)


def test_values_that_occur(tmp_path: Path) -> None:
    for values in (np.array([[3, -1], [3, 7]], np.int32), np.array([[5, 2**30], [0, 5]], np.int32)):
        save_rows(tmp_path / "v.npy", values)
        for array in (values, StoredRows(tmp_path / "v.npy")):
            np.testing.assert_array_equal(values_of(array), np.unique(values))


def test_rows_of_few_values() -> None:
    dense = np.zeros((3, 5, 2), np.float32)
    dense[0, 4], dense[2, :2] = [1, 2], [[3, 4], [5, 6]]
    places = [np.flatnonzero(row.any(axis=1)) for row in dense]
    found = SparseRows(places, [row[place] for row, place in zip(dense, places, strict=True)], 5)
    assert (found.shape, found.dtype) == (dense.shape, dense.dtype)
    np.testing.assert_array_equal(found[:], dense)
    np.testing.assert_array_equal(found[np.array([2, 0])], dense[[2, 0]])
    assert (
        found.identity
        != SparseRows(places, [row[place] + 1 for row, place in zip(dense, places, strict=True)], 5).identity
    )


def test_a_mapped_file_is_not_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VALUES)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert not is_in_memory(mapped)
    save_rows(tmp_path / "y.npy", mapped)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), VALUES)


def test_too_little_memory_is_said(stored: StoredRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "available_memory", lambda: 400)
    with pytest.raises(StageError, match=r"The masks would have to be in memory as a whole, and take 240 B of 400 B"):
        in_memory(stored, "The masks")


def test_damaged_files_are_named(tmp_path: Path, stored: StoredRows) -> None:
    content = stored.path.read_bytes()
    stored.path.write_bytes(content[:-8])
    with pytest.raises(StageError, match=r"x\.npy is truncated"):
        StoredRows(tmp_path / "x.npy")
    stored.path.write_bytes(b"nonsense")
    with pytest.raises(StageError, match=r"x\.npy cannot be read"):
        StoredRows(tmp_path / "x.npy")


def test_the_fingerprint_does_not_depend_on_where_examples_are(stored: StoredRows) -> None:
    rows = np.arange(10)
    of_arrays = {
        name: Data(*(Split(array, rows).select(part) for part in (rows[:6], rows[6:8], rows[8:])), source=name)
        for name, array in {"memory": VALUES, "disk": stored}.items()
    }
    assert not of_arrays["disk"].train.in_memory
    assert of_arrays["disk"].train.take(2, 0).in_memory
    assert of_arrays["disk"].fingerprint == of_arrays["memory"].fingerprint
