"""tfopt's own attention with rotary positions and shared heads, its tied embedding and its positions."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import there_and_back, treatments
from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, TiedEmbedding, TiedLogits

pytestmark = pytest.mark.tf


def test_all_of_it_is_simulated_and_restored() -> None:
    tokens = layers.Input((6,), dtype="int32", name="tokens")
    rows, table = TiedEmbedding(11, 8, name="token_embedding")(tokens)
    x = PositionEmbedding(6, name="position_embedding")(rows)
    x = GroupedQueryAttention(4, 2, 4, rotary=True, dropout=0.1, name="shared")(x)
    x = GroupedQueryAttention(2, 2, 4, use_bias=False, name="plain")(x)
    model = tf_keras.Model(tokens, TiedLogits(name="logits")([x, table]))
    canonical = there_and_back(model)
    found = {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")}
    assert found == {"tokens": "after training"}
