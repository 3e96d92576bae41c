"""Whether two arrays are the same within a tolerance, and the first layer whose outputs are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.types import Array


@dataclass(frozen=True)
class Tolerance:
    """The largest absolute difference that counts as float noise: `relative * max(largest, least_scale) + absolute`.

    Args:
        relative: share of the largest finite absolute value of the expected array.
        least_scale: what `largest` is at least; 1 makes the tolerance absolute for small values.
        absolute: added.
        by_dtype: other values of `relative`, by the NumPy name of the expected array's type.
    """

    relative: float
    least_scale: float = 0.0
    absolute: float = 0.0
    by_dtype: tuple[tuple[str, float], ...] = ()

    def allowed(self, expected: Array) -> float:
        """The tolerance for one array."""
        relative = dict(self.by_dtype).get(expected.dtype.name, self.relative)
        return relative * max(_largest(expected), self.least_scale) + self.absolute


@dataclass(frozen=True)
class Difference:
    """Two arrays that differ by more than the tolerance.

    Args:
        index: of the array among the outputs.
        largest: largest absolute difference; infinite where one value alone is not a number, or infinite.
        scale: what `largest` is compared to: the tolerance divided by `relative`, without `absolute`.
        described: in words: the largest difference, the two shapes, or how many integers differ.
    """

    index: int
    largest: float
    scale: float
    described: str


def difference(expected: Array, found: Array, tolerance: Tolerance, index: int = 0) -> Difference | None:
    """Compares two arrays; what is not a number, or the same infinity, in both is equal.

    Args:
        expected: numbers, truth values or strings; all but floats must be equal.
        found: of the same shape.
        tolerance: for floats.
        index: of the array among the outputs, for the result.

    Returns:
        None where they are the same.
    """
    if expected.shape != found.shape:
        return Difference(index, np.inf, 1.0, f"shape: {expected.shape} and {found.shape}")
    if not _is_float(expected):
        unequal = int(np.sum(expected != found))
        return Difference(index, np.inf, 1.0, f"{unequal} of {expected.size} values") if unequal else None
    largest = _largest_difference(expected.astype(np.float64), found.astype(np.float64))
    if largest <= tolerance.allowed(expected):
        return None
    return Difference(index, largest, max(_largest(expected), tolerance.least_scale), f"{largest:.2g}")


def first_difference(
    layers: Sequence[str],
    expected: Iterable[Sequence[Array]],
    found: Iterable[Sequence[Array]],
    tolerance: Tolerance,
) -> tuple[str, Difference] | None:
    """The first layer whose outputs differ.

    Args:
        layers: names, in the order of the calls.
        expected: outputs of each layer in one model.
        found: in the other, in the same order.
        tolerance: for floats.

    Returns:
        Its name and how far it differs; None where no single layer does.
    """
    for name, left, right in zip(layers, expected, found, strict=True):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            if differing := difference(one, other, tolerance, index):
                return name, differing
    return None


def _largest_difference(expected: Array, found: Array) -> float:
    if expected.size == 0:
        return 0.0
    with np.errstate(invalid="ignore"):
        same = np.isnan(expected) & np.isnan(found) | (expected == found)
        distances = np.where(same, 0.0, np.abs(expected - found))
    return float(np.inf) if np.isnan(distances).any() else float(distances.max())


def _largest(values: Array) -> float:
    numbers = values.astype(np.float64)
    return float(np.max(np.abs(numbers), initial=0, where=np.isfinite(numbers)))


def _is_float(values: Array) -> bool:
    # NumPy has no bfloat16; TensorFlow registers one that is not an np.floating.
    return np.issubdtype(values.dtype, np.floating) or values.dtype.name == "bfloat16"
