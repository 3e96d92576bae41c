"""What training computes in: `precision` of a recipe."""

from __future__ import annotations

from typing import Literal, TypeGuard

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]


def compute_dtype(precision: Precision) -> str:
    """What convolutions and matrix products compute in: `float32`, `float16` or `bfloat16`."""
    return precision.removeprefix("mixed_")


def is_mixed(precision: Precision | None) -> TypeGuard[Precision]:
    """Whether layers compute in half the bits that their weights are kept in."""
    return precision not in (None, "float32")
