"""Products of tensors without some of their units."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.shrinking.graph.products import product_calls

pytestmark = pytest.mark.tf


def test_values_of_attention_shrink_queries_and_keys_stay():
    inputs = layers.Input((6, 4))
    query, value, key = (layers.Dense(8, name=name)(inputs) for name in ("query", "value", "key"))
    (call,) = product_calls(tf_keras.Model(inputs, layers.Dense(2)(layers.Attention()([query, value, key]))))
    assert set(call.groups) >= {"value"}
    assert call.macs({}) == 2 * 6 * 6 * 8
    assert call.macs({"value": 2}) == 6 * 6 * (8 + 6)


def test_layers_with_kernels_are_no_products():
    inputs = layers.Input((6, 4))
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    assert product_calls(tf_keras.Model(inputs, layers.Dense(2)(layers.Add()([attended, inputs])))) == []
