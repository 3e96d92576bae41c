"""Two arrays within a tolerance."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf
pytest.importorskip("tf_keras")

from tfopt.backend.equivalence import Tolerance, difference, first_difference  # noqa: E402

VALUES = np.array([1.0, -200.0, 3.0], np.float32)


def test_a_tolerance_is_relative_to_the_largest_expected_value() -> None:
    assert difference(VALUES, VALUES + np.float32(0.19), Tolerance(1e-3)) is None
    found = difference(VALUES, VALUES + np.float32(0.21), Tolerance(1e-3))
    assert found is not None
    assert found.largest == pytest.approx(0.21, abs=1e-4)
    assert found.scale == 200
    assert found.described == "0.21"


def test_small_values_have_an_absolute_tolerance() -> None:
    small = np.array([1e-9, 0.0], np.float32)
    assert difference(small, 2 * small, Tolerance(1e-5)) is not None
    assert difference(small, 2 * small, Tolerance(1e-5, least_scale=1.0)) is None
    assert difference(small, 2 * small, Tolerance(1e-5, absolute=1e-7)) is None


def test_a_type_has_a_tolerance_of_its_own() -> None:
    tolerance = Tolerance(1e-5, by_dtype=(("float16", 1e-1),))
    assert difference(VALUES, VALUES * np.float32(1.05), tolerance) is not None
    assert difference(VALUES.astype(np.float16), VALUES * np.float32(1.05), tolerance) is None


def test_what_is_not_a_number_in_one_array_alone_differs() -> None:
    broken = np.array([1.0, np.nan, np.inf])
    assert difference(broken, broken, Tolerance(0.0)) is None
    for found in ([1.0, 2.0, np.inf], [1.0, np.nan, 2.0], [1.0, np.nan, -np.inf], [np.nan, np.nan, np.inf]):
        differing = difference(broken, np.array(found), Tolerance(1.0))
        assert differing is not None
        assert differing.largest == np.inf


def test_a_shape_differs_even_where_it_could_be_broadcast() -> None:
    found = difference(np.ones((2, 1)), np.ones((2, 3)), Tolerance(1.0))
    assert found is not None
    assert found.described == "shape: (2, 1) and (2, 3)"


@pytest.mark.parametrize("values", [np.array([1, 200]), np.array([True, False]), np.array(["a", "b"], object)])
def test_all_but_floats_must_be_equal(values: np.ndarray) -> None:
    assert difference(values, values.copy(), Tolerance(1.0)) is None
    found = difference(values, values[::-1], Tolerance(1.0))
    assert found is not None
    assert found.described == "2 of 2 values"


def test_the_first_layer_that_differs_is_named() -> None:
    expected = [[VALUES], [VALUES, VALUES], [VALUES]]
    found = [[VALUES], [VALUES, VALUES + 1], [VALUES + 1]]
    differing = first_difference(["conv", "split", "dense"], expected, found, Tolerance(1e-5))
    assert differing is not None
    assert (differing[0], differing[1].index) == ("split", 1)
    assert first_difference(["conv", "split", "dense"], expected, expected, Tolerance(1e-5)) is None
