"""How far one array of values is from another: SQNR, cosine, largest and relative error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfopt.backend.types import Array


@dataclass(frozen=True)
class Difference:
    """Values found, compared with those expected.

    Args:
        sqnr_db: 10 log10 of the mean square of what was expected over that of the differences; None where nothing
            differs, or all that was expected is 0.
        cosine: of the angle between the two; None where one of them is all 0.
        max_error: largest absolute difference.
        relative_error: root of the mean square of the differences over the range of what was expected; 0 where it has
            none.
    """

    sqnr_db: float | None
    cosine: float | None
    max_error: float
    relative_error: float


def difference(found: Array, expected: Array) -> Difference:
    """Compares two arrays with equally many values. A value that is not a number counts as infinitely far away.

    Args:
        found: of any shape.
        expected: of as many values, in the same order.
    """
    two, one = found.reshape(-1).astype(np.float64), expected.reshape(-1).astype(np.float64)
    if not one.size:
        return Difference(None, None, 0.0, 0.0)
    error = np.where(np.isfinite(two), two - one, np.inf)
    noise, signal = float(np.mean(np.square(error))), float(np.mean(np.square(one)))
    spread = float(one.max() - one.min())
    lengths = float(np.linalg.norm(one) * np.linalg.norm(two))
    with np.errstate(divide="ignore"):
        sqnr = float(10 * np.log10(signal / noise)) if noise and signal else None
    return Difference(
        sqnr_db=sqnr,
        cosine=float(np.dot(one, two) / lengths) if lengths and np.isfinite(lengths) else None,
        max_error=float(np.abs(error).max()),
        relative_error=float(np.sqrt(noise) / spread) if spread else 0.0,
    )
