"""Grouped-query attention computes what its paper says, written again in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tfopt.backend.layers import GroupedQueryAttention
from tfopt.backend.types import Array

pytestmark = pytest.mark.tf

_HEADS, _SHARED, _SIZE, _STEPS, _WIDTH = 4, 2, 6, 5, 7


def _layer(rotary: bool) -> GroupedQueryAttention:
    layer = GroupedQueryAttention(_HEADS, _SHARED, _SIZE, rotary, name="attention")
    layer.build((None, _STEPS, _WIDTH))
    random = np.random.RandomState(1)
    layer.set_weights([random.normal(0, 0.5, weight.shape) for weight in layer.weights])
    return layer


def _turned(vector: Array, position: int) -> Array:
    turned = vector.copy()
    half = _SIZE // 2
    for pair in range(half):
        angle = position * 10_000.0 ** (-2 * pair / _SIZE)
        first, second = vector[pair], vector[pair + half]
        turned[pair] = first * np.cos(angle) - second * np.sin(angle)
        turned[pair + half] = second * np.cos(angle) + first * np.sin(angle)
    return turned


def _expected(layer: GroupedQueryAttention, x: Array, rotary: bool) -> Array:
    def projected(name: str, values: Array, count: int) -> Array:
        dense = getattr(layer, name)
        return (values @ dense.kernel.numpy() + dense.bias.numpy()).reshape(_STEPS, count, -1)

    queries, keys = projected("query", x, _HEADS), projected("key", x, _SHARED)
    values, joined = projected("value", x, _SHARED), np.zeros((_STEPS, _HEADS, _SIZE))
    for head in range(_HEADS):
        shared = head // (_HEADS // _SHARED)
        for target in range(_STEPS):
            query = queries[target, head]
            seen = keys[: target + 1, shared]
            if rotary:
                query = _turned(query, target)
                seen = np.stack([_turned(key, position) for position, key in enumerate(seen)])
            weights = np.exp(seen @ query / np.sqrt(_SIZE))
            joined[target, head] = weights / weights.sum() @ values[: target + 1, shared]
    return projected("attention_output", joined.reshape(_STEPS, -1), 1)[:, 0]


@pytest.mark.parametrize("rotary", [False, True])
def test_is_the_attention_of_the_papers(rotary: bool) -> None:
    layer = _layer(rotary)
    x = np.random.RandomState(2).normal(0, 1, (1, _STEPS, _WIDTH)).astype(np.float32)
    assert np.allclose(layer(x)[0], _expected(layer, x[0].astype(np.float64), rotary), atol=1e-5)


def test_offers_its_four_kernels_to_pruning_and_clustering() -> None:
    layer = _layer(rotary=False)
    shapes = [tuple(kernel.shape) for kernel in layer.get_prunable_weights()]
    assert shapes == [(7, 24), (7, 12), (7, 12), (24, 7)]
    assert [name for name, _ in layer.get_clusterable_weights()] == [
        "query.kernel",
        "key.kernel",
        "value.kernel",
        "attention_output.kernel",
    ]


@pytest.mark.parametrize(("heads", "size", "message"), [(3, 6, "must divide"), (2, 5, "must be even")])
def test_refuses_heads_that_do_not_fit(heads: int, size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GroupedQueryAttention(4, heads, size, rotary=True)


def test_refuses_sequences_of_open_length() -> None:
    with pytest.raises(ValueError, match="fixed number of positions"):
        GroupedQueryAttention(2, 1, 4)(tf_keras.Input((None, 8)))
