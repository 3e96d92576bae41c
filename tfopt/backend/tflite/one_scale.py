"""Operators of a file that only move or pick values, so that their result has the scale of what they take."""

from __future__ import annotations

ONE_SCALE = frozenset(
    {
        *("EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "PAD", "RESHAPE", "REVERSE_V2"),
        *("SLICE", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE"),
    }
)
"""By TFLite's name: the converter gives the first operand and the result one range, hence one scale."""
