"""Attention and AdditiveAttention taken apart, with padding, a causal mask, keys of their own and dropout."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import there_and_back, treatments

pytestmark = pytest.mark.tf


def test_all_of_it_is_simulated_and_restored() -> None:
    tokens = layers.Input((6,), dtype="int32", name="tokens")
    padded = layers.Embedding(9, 4, mask_zero=True, name="table")(tokens)
    given = layers.Input((5, 4), name="given")
    query = layers.Dense(4, name="query")(given)
    both = [
        layers.Attention(dropout=0.1, name="causal")([query, given], use_causal_mask=True),
        layers.AdditiveAttention(name="keyed")([query, given, layers.Dense(4, name="key")(given)]),
        layers.AdditiveAttention(name="padded")([query, padded]),
    ]
    masked = layers.Attention(name="both_padded")([padded, padded])
    model = tf_keras.Model([tokens, given], [*both, layers.GlobalAveragePooling1D(name="mean")(masked)])
    canonical = there_and_back(model)
    names = {layer.name for layer in canonical.model.layers}
    assert names >= {f"{name}_softmax" for name in ("causal", "keyed", "padded", "both_padded")}
    found = {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")}
    assert found == {"tokens": "after training"}
