"""Bytes of a file by layer."""

from __future__ import annotations

from tfopt.core.records.record import Record

REST = "(structure)"
"""What is no tensor: operators, names, shapes, scales, metadata."""


class LayerSizeRecord(Record):
    """What one layer takes of a file."""

    layer: str
    """Keras name; the name of the tensor where no layer is known; `(structure)` for all that is no tensor."""
    bytes: int
    """Bytes of its tensors in the file."""
    entropy_bytes: int | None = None
    """Entropy bound of its tensors; null for `(structure)`."""
    values: int = 0
    """How many values its tensors have."""
