"""The table of kernels: what counts, what tfmot prunes, what it clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.tf


def rows(make: Callable[[Any], Any], shape: tuple[int, ...]) -> tuple[int, int, int]:
    """How many kernels of a layer are counted, prunable, clusterable."""
    import tf_keras

    from tfopt.backend.graph.kernels import clusterable_kernels, counted_kernels, prunable_kernels

    layer = make(tf_keras.layers)
    layer(tf_keras.Input(shape))
    return len(counted_kernels(layer)), len(prunable_kernels(layer)), len(clusterable_kernels(layer))


@pytest.mark.parametrize(
    ("make", "shape", "expected"),
    [
        (lambda layers: layers.Dense(2), (3,), (1, 1, 1)),
        (lambda layers: layers.Conv1DTranspose(2, 2), (4, 3), (1, 0, 1)),
        (lambda layers: layers.DepthwiseConv2D(2), (4, 4, 3), (1, 0, 0)),
        (lambda layers: layers.SeparableConv2D(2, 2), (4, 4, 3), (2, 1, 1)),
        (lambda layers: layers.LSTM(2), (4, 3), (2, 2, 2)),
        (lambda layers: layers.Bidirectional(layers.LSTM(2)), (4, 3), (4, 0, 4)),
        (lambda layers: layers.Dense(2, trainable=False), (3,), (1, 1, 0)),
        (lambda layers: layers.BatchNormalization(), (3,), (0, 0, 0)),
        (lambda layers: layers.EinsumDense("ab,bc->ac", output_shape=2), (3,), (1, 0, 0)),
    ],
)
def test_the_columns_of_the_table(make: Callable[[Any], Any], shape: tuple[int, ...], expected: tuple[int, int, int]):
    assert rows(make, shape) == expected


def test_asking_leaves_a_layer_as_it_was():
    import tf_keras

    from tfopt.backend.graph.kernels import kernel_table

    layer = tf_keras.layers.Dense(2)
    layer.build((None, 3))
    before = dict(vars(layer))
    kernel_table(layer)

    assert vars(layer) == before
