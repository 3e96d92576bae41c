"""A teacher's wide table of embeddings as the narrower one of a student."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.graph.layers import layer_type

_EMBEDDINGS = frozenset({"Embedding", "TiedEmbedding"})


def is_wider(layer: tf_keras.layers.Layer, other: tf_keras.layers.Layer) -> bool:
    """Whether both are embeddings of equally many tokens, and the other one has more numbers for each."""
    if layer_type(layer) != layer_type(other) or layer_type(layer) not in _EMBEDDINGS:
        return False
    ours, theirs = layer.weights[0].shape, other.weights[0].shape
    return bool(ours[0] == theirs[0] and ours[-1] < theirs[-1])


def narrowed(table: np.ndarray, width: int) -> tuple[np.ndarray, float]:
    """The principal components of a table's rows.

    Rows that are close to each other stay close: a student knows which words are alike before its first step. The
    values keep the standard deviation that they have in the wide table.

    Args:
        table: (tokens, width of the teacher).
        width: of the student.

    Returns:
        Table (tokens, width), and the share of the rows' variance that it holds.
    """
    rows = table.astype(np.float64)
    rows = rows - rows.mean(axis=0)
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    taken = np.zeros((len(rows), width))
    count = min(width, len(sizes))  # a table can have fewer tokens than the student has numbers for each
    taken[:, :count] = rows @ directions[:count].T
    spread = taken.std()
    if spread > 0:
        taken *= table.std() / spread
    kept = float(np.sum(sizes[:count] ** 2) / max(np.sum(sizes**2), 1e-30))
    return taken.astype(table.dtype), kept
