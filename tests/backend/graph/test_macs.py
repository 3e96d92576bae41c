"""Multiply-accumulates against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.tf

IMAGE, SEQUENCE, FLAT = (9, 7, 4), (6, 5), (10,)


def _cases() -> dict[str, tuple[Any, Any, int | None]]:
    from tf_keras import layers

    inner = layers.Dense(3)
    return {
        "conv2d": (layers.Conv2D(8, 3), IMAGE, 7 * 5 * 8 * 3 * 3 * 4),
        "conv2d strided, padded": (layers.Conv2D(8, 3, strides=2, padding="same"), IMAGE, 5 * 4 * 8 * 3 * 3 * 4),
        "conv2d in groups": (layers.Conv2D(8, 3, groups=2), IMAGE, 7 * 5 * 8 * 3 * 3 * 2),
        "conv2d dilated": (layers.Conv2D(8, 3, dilation_rate=2), IMAGE, 5 * 3 * 8 * 3 * 3 * 4),
        "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2), IMAGE, 7 * 5 * 3 * 3 * 4 * 2),
        "separable": (layers.SeparableConv2D(8, 3), IMAGE, 7 * 5 * (3 * 3 * 4 + 4 * 8)),
        "transposed": (layers.Conv2DTranspose(8, 3, strides=2), IMAGE, 9 * 7 * 3 * 3 * 4 * 8),
        "conv1d": (layers.Conv1D(8, 3, padding="causal"), SEQUENCE, 6 * 3 * 5 * 8),
        "depthwise 1d": (layers.DepthwiseConv1D(3), SEQUENCE, 4 * 3 * 5),
        "separable 1d": (layers.SeparableConv1D(8, 3), SEQUENCE, 4 * (3 * 5 + 5 * 8)),
        "transposed 1d": (layers.Conv1DTranspose(8, 3), SEQUENCE, 6 * 3 * 5 * 8),
        "conv3d": (layers.Conv3D(3, 2), (6, 4, 4, 2), 5 * 3 * 3 * 2 * 2 * 2 * 2 * 3),
        "dense": (layers.Dense(8), FLAT, 10 * 8),
        "dense on a sequence": (layers.Dense(8), SEQUENCE, 6 * 5 * 8),
        "einsum": (layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3)), SEQUENCE, 6 * 5 * 2 * 3),
        "einsum with dots": (layers.EinsumDense("...x,xy->...y", output_shape=8), SEQUENCE, 6 * 5 * 8),
        "einsum that contracts two": (layers.EinsumDense("abc,bcd->ad", output_shape=7), SEQUENCE, 6 * 5 * 7),
        "embedding": (layers.Embedding(20, 4), (6,), 0),
        "lstm": (layers.LSTM(3), SEQUENCE, 6 * 4 * (5 * 3 + 3 * 3)),
        "gru": (layers.GRU(3), SEQUENCE, 6 * 3 * (5 * 3 + 3 * 3)),
        "simple rnn": (layers.SimpleRNN(3), SEQUENCE, 6 * (5 * 3 + 3 * 3)),
        "bidirectional": (layers.Bidirectional(layers.LSTM(3)), SEQUENCE, 2 * 6 * 4 * (5 * 3 + 3 * 3)),
        "stacked cells": (
            layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), SEQUENCE,
            6 * (4 * (5 * 3 + 3 * 3) + 3 * (3 * 2 + 2 * 2)),
        ),
        "conv lstm": (
            layers.ConvLSTM2D(3, 2), (6, 5, 5, 2), 6 * 4 * 4 * 4 * (2 * 2 * 2 * 3 + 2 * 2 * 3 * 3)
        ),
        "time distributed": (layers.TimeDistributed(inner), SEQUENCE, 6 * 5 * 3),
        "batch normalization": (layers.BatchNormalization(), IMAGE, 0),
        "any length": (layers.Conv1D(8, 3), (None, 5), None),
    }  # fmt: skip


def test_single_layers() -> None:
    import tf_keras

    from tfopt.backend.graph.calls import calls
    from tfopt.backend.graph.macs import macs

    wrong = {}
    for name, (layer, shape, by_hand) in _cases().items():
        given = tf_keras.Input(shape, dtype="int32" if name == "embedding" else "float32")
        (call,) = calls(tf_keras.Model(given, layer(given)))
        counted = macs(call.layer, call.inputs, call.output)
        if counted != by_hand:
            wrong[name] = (counted, by_hand)
    assert wrong == {}


def test_layers_that_take_several_tensors() -> None:
    import tf_keras
    from tf_keras import layers

    from tfopt.backend.graph.calls import calls
    from tfopt.backend.graph.macs import macs

    query, value = tf_keras.Input((6, 8)), tf_keras.Input((4, 5))
    heads = layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=7)
    (call,) = calls(tf_keras.Model([query, value], heads(query, value=value)))
    projections = 6 * 8 * 2 * 3 + 4 * 5 * 2 * 3 + 4 * 5 * 2 * 7 + 6 * 2 * 7 * 8
    assert macs(call.layer, call.inputs, call.output) == projections + 6 * 4 * 2 * (3 + 7)

    left, right = tf_keras.Input((6, 8)), tf_keras.Input((4, 8))
    (call,) = calls(tf_keras.Model([left, right], layers.Dot(axes=2)([left, right])))
    assert macs(call.layer, call.inputs, call.output) == 6 * 4 * 8
    (call,) = calls(tf_keras.Model([left, right], layers.Attention()([left, right])))
    assert macs(call.layer, call.inputs, call.output) == 2 * 6 * 4 * 8


def test_a_layer_of_a_user_is_not_guessed_at() -> None:
    import tf_keras

    from tfopt.backend.graph.macs import macs

    class Own(tf_keras.layers.Layer):
        pass

    assert macs(Own(), [(None, 3)], (None, 3)) is None


# ResNet50 has the same kinds of layers, and 25 million weights to make.
@pytest.mark.parametrize(
    ("name", "millions"), [("MobileNetV2", 300.77), pytest.param("ResNet50", 3857.97, marks=pytest.mark.slow)]
)
def test_known_models(name: str, millions: float) -> None:
    import tf_keras

    from tfopt.backend.layer_support import layers
    from tfopt.core.records.layer_support import totals

    found = totals(layers(getattr(tf_keras.applications, name)(weights=None)))
    assert found.macs / 1e6 == pytest.approx(millions, abs=0.01)
    assert found.unknown_macs == ()


def test_nested_and_shared_layers_count_at_every_call() -> None:
    import tf_keras
    from tf_keras import layers as kinds

    from tfopt.backend.layer_support import layers

    inner = tf_keras.Sequential([tf_keras.Input((8, 8, 2)), kinds.Conv2D(4, 3, name="conv")], name="inner")
    left, right = tf_keras.Input((8, 8, 2)), tf_keras.Input((8, 8, 2))
    dense = kinds.Dense(3, name="dense")
    joined = kinds.Add()([dense(inner(left)), dense(inner(right))])
    rows = {row.name: row for row in layers(tf_keras.Model([left, right], joined))}
    assert rows["conv"].macs == 2 * 6 * 6 * 3 * 3 * 2 * 4
    assert rows["dense"].macs == 2 * 6 * 6 * 4 * 3
