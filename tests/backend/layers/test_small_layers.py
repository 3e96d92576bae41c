"""Normalization, positions, tied tables and GELU compute what their papers say."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.layers import PositionEmbedding, RMSNormalization, TiedEmbedding, TiedLogits, gelu_tanh

pytestmark = pytest.mark.tf

_X = np.random.RandomState(0).normal(0, 1, (2, 3, 4)).astype(np.float32)


def test_rms_normalization() -> None:
    layer = RMSNormalization(epsilon=0.1)
    layer.build((None, 3, 4))
    layer.set_weights([np.array([1.0, 2.0, 3.0, 4.0])])
    expected = _X / np.sqrt((_X**2).mean(-1, keepdims=True) + 0.1) * [1, 2, 3, 4]
    assert np.allclose(layer(_X), expected, atol=1e-6)


def test_position_embedding_adds_the_vector_of_each_position() -> None:
    layer = PositionEmbedding(5)
    layer.build((None, None, 4))
    assert np.allclose(layer(_X), _X + layer.embeddings.numpy()[:3])


def test_a_tied_table_is_read_by_row_and_multiplied_with() -> None:
    embedding, logits = TiedEmbedding(6, 4), TiedLogits()
    rows, table = embedding(np.array([[5, 0]]))
    assert np.array_equal(rows[0, 0], embedding.embeddings.numpy()[5])
    assert np.allclose(logits([_X, table]), _X @ embedding.embeddings.numpy().T, atol=1e-6)
    assert [weight.shape for weight in embedding.get_prunable_weights()] == [(6, 4)]
    assert logits.weights == []


def test_gelu_tanh() -> None:
    expected = _X / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (_X + 0.044715 * _X**3)))
    assert np.allclose(gelu_tanh(_X), expected, atol=1e-6)
