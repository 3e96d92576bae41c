"""What training computes in: `precision` of a recipe."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def compute_dtype(precision: Precision) -> str:
    """What convolutions and matrix products compute in: `float32`, `float16` or `bfloat16`."""
    return precision.removeprefix("mixed_")


def is_mixed(precision: Precision | None) -> bool:
    """Whether layers compute in half the bits that their weights are kept in."""
    return precision not in (None, "float32")
