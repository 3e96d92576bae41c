"""Layers with their less usual settings, and operations: many in one model, so that one conversion tries them all."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
from keras import layers, ops  # noqa: E402

from tests.backend.bridge.test_to_tf_keras import scramble  # noqa: E402
from tfopt.backend.bridge import to_tf_keras  # noqa: E402
from tfopt.backend.bridge.activations import BY_NAME  # noqa: E402
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper  # noqa: E402
from tfopt.backend.bridge.tables import SAME_ACTIVATIONS  # noqa: E402

VECTOR, SEQUENCE, IMAGE, VOLUME = (4,), (6, 4), (8, 8, 4), (4, 4, 4, 2)
WITH_ARGUMENTS = {"threshold"}


def adapted(layer: Any, values: Any) -> Any:
    layer.adapt(values)
    return layer


LAYERS: dict[tuple[int, ...], Callable[[], list[keras.layers.Layer]]] = {
    VECTOR: lambda: [
        layers.ReLU(6.0, 0.1, 0.2),
        layers.ELU(0.5),
        layers.PReLU(),
        layers.GaussianNoise(0.1),
        layers.AlphaDropout(0.1),
        layers.ActivityRegularization(0.1, 0.1),
        layers.BatchNormalization(scale=False),
        layers.EinsumDense("ab,bc->ac", 3, bias_axes="c"),
        layers.Dense(3, use_bias=False, kernel_initializer="he_normal", kernel_constraint="max_norm"),
        layers.Dense(3, bias_regularizer=keras.regularizers.L1L2(0.1, 0.1)),
        layers.Discretization(bin_boundaries=[0.0, 1.0]),
        adapted(layers.Normalization(), np.random.default_rng(0).normal(3, 5, (9, 4))),
        layers.Normalization(axis=None, mean=1.0, variance=4.0, invert=True),
        layers.RepeatVector(3),
    ],
    SEQUENCE: lambda: [
        layers.Softmax((1, 2)),
        layers.Conv1D(3, 2, padding="causal", dilation_rate=2),
        layers.Conv1DTranspose(3, 2, strides=2),
        layers.DepthwiseConv1D(2),
        layers.SeparableConv1D(3, 2),
        layers.GlobalMaxPooling1D(keepdims=True),
        layers.AveragePooling1D(2),
        layers.SimpleRNN(3, return_sequences=True),
        layers.LSTM(3, go_backwards=True, unroll=True),
        layers.GRU(3, reset_after=False, dropout=0.1),
        layers.Bidirectional(layers.GRU(3), merge_mode="sum", backward_layer=layers.GRU(3, go_backwards=True)),
        layers.RNN(layers.StackedRNNCells([layers.SimpleRNNCell(3), layers.LSTMCell(2)])),
        layers.SpatialDropout1D(0.1),
        layers.BatchNormalization(axis=1),
        layers.LayerNormalization(axis=[1, 2]),
        layers.UnitNormalization(axis=1),
        layers.TimeDistributed(layers.BatchNormalization()),
        layers.Permute((2, 1)),
        layers.Reshape((-1, 2)),
        layers.UpSampling1D(2),
        layers.ZeroPadding1D(2),
    ],
    IMAGE: lambda: [
        layers.Conv2D(4, 3, groups=2, dilation_rate=2),
        layers.Conv2DTranspose(3, 2, strides=2, padding="same"),
        layers.AveragePooling2D(3, padding="same"),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.ZeroPadding2D(((1, 0), (2, 1))),
        layers.Cropping2D(1),
        layers.GroupNormalization(2),
        layers.Resizing(4, 6, crop_to_aspect_ratio=True),
        layers.CenterCrop(5, 5),
        layers.Rescaling([1.0, 2.0, 3.0, 4.0], 0.5),
        layers.RandomFlip(),
        layers.RandomRotation(0.1),
        layers.RandomZoom(0.1),
        layers.RandomTranslation(0.1, 0.1),
    ],
    VOLUME: lambda: [
        layers.Conv3D(3, 2),
        layers.Conv3DTranspose(2, 2),
        layers.MaxPooling3D(),
        layers.GlobalAveragePooling3D(),
        layers.ConvLSTM2D(3, 2, return_sequences=True),
        layers.TimeDistributed(layers.Conv2D(2, 2)),
    ],
}

WRAPPED = {
    VECTOR: lambda: [layers.SpectralNormalization(layers.Dense(3))],
    SEQUENCE: lambda: [layers.TimeDistributed(layers.RMSNormalization()), layers.AdaptiveMaxPooling1D(2)],
    IMAGE: lambda: [
        layers.Resizing(4, 6, pad_to_aspect_ratio=True),
        layers.RandomCrop(4, 4),
        layers.RandomContrast(0.1),
    ],
}


def all_of(shape: tuple[int, ...], kinds: list[keras.layers.Layer]) -> keras.Model:
    start = keras.Input(shape, name="start")
    return keras.Model(start, [layer(start) for layer in kinds], name="all")


def wrappers(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, Keras3LayerWrapper)]


@pytest.mark.parametrize("shape", LAYERS, ids=str)
def test_layers_have_an_equal_layer(shape: tuple[int, ...]) -> None:
    assert wrappers(to_tf_keras(scramble(all_of(shape, LAYERS[shape]())))) == []


@pytest.mark.parametrize("shape", WRAPPED, ids=str)
def test_other_layers_are_wrapped(shape: tuple[int, ...]) -> None:
    model = scramble(all_of(shape, WRAPPED[shape]()))
    assert len(wrappers(to_tf_keras(model))) == len(model.layers) - 1


def test_every_activation_is_the_same_function() -> None:
    functions = {name: code for name, code in vars(keras.activations).items() if inspect.isfunction(code)}
    names = sorted(functions.keys() - WITH_ARGUMENTS - {"get", "serialize", "deserialize"})
    assert set(names) <= SAME_ACTIVATIONS | BY_NAME.keys()
    model = all_of(VECTOR, [layers.Activation(name, name=f"a_{name}") for name in names])
    assert wrappers(to_tf_keras(model)) == []


def test_lookups() -> None:
    words, numbers = keras.Input((3,), dtype="string"), keras.Input((3,), dtype="int32")
    outputs = [
        layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")(words),
        adapted(layers.StringLookup(mask_token="[M]", num_oov_indices=2), [["x", "y"], ["y", "z"]])(words),
        layers.IntegerLookup(vocabulary=[1, 2], mask_token=0)(numbers),
        layers.CategoryEncoding(10, output_mode="count")(numbers),
        layers.Hashing(5)(numbers),
    ]
    assert wrappers(to_tf_keras(keras.Model([words, numbers], outputs))) == []


TWO: list[tuple[Callable[[Any, Any], Any], int]] = [
    (lambda a, b: layers.Dot(2, normalize=True)([a, b]), 0),
    (lambda a, b: layers.Average()([a, b]), 0),
    (lambda a, b: layers.Attention(use_scale=True, dropout=0.1)([a, b]), 0),
    (lambda a, b: layers.AdditiveAttention()([a, b]), 0),
    (lambda a, b: layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=7)(a, b, use_causal_mask=True), 0),
    (lambda a, b: a + b - a * b, 0),
    (lambda a, b: 2.0 - a / 3 + (-b) * 2, 0),
    (lambda a, b: ops.maximum(a, b), 0),
    (lambda a, b: [ops.mean(a, axis=1), ops.max(b, axis=1)], 0),
    (lambda a, b: ops.concatenate([a, ops.relu6(b)], axis=-1), 0),
    (lambda a, b: ops.softmax(ops.leaky_relu(a)) + ops.gelu(b, approximate=False), 0),
    (lambda a, b: layers.LSTM(4)(a, initial_state=[b[:, 0], b[:, 1]]), 2),
    (lambda a, b: layers.Add()([a, b[:, :1]]), 1),
    (lambda a, b: a @ ops.transpose(b, (0, 2, 1)), 1),
    (lambda a, b: ops.split(a + b[:, :1], 2, axis=-1), 2),
    (lambda a, b: ops.cast(a > b, "float32") ** 2, 3),
    (lambda a, b: layers.GroupQueryAttention(4, 2, 1)(a, b), 1),
]


def test_merges_attention_and_operations() -> None:
    left, right = keras.Input((6, 4), name="left"), keras.Input((6, 4), name="right")
    model = keras.Model([left, right], [build(left, right) for build, _ in TWO])
    assert len(wrappers(to_tf_keras(scramble(model)))) == sum(expected for _, expected in TWO)


@pytest.mark.filterwarnings("ignore:Layer '.*' .* was passed an input with a mask:UserWarning")
def test_masks_flow_as_in_keras_3_live_and_loaded(tmp_path: Any) -> None:
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(9, 4, mask_zero=True, name="table")(tokens)
    both = layers.Concatenate()([x, layers.Dense(3)(x)])
    # Means and an unrolled GRU, where any layer that looks at a mask will do: loops take seconds to trace.
    outputs = [
        layers.Attention()([x, x]),
        layers.GlobalAveragePooling1D()(both),
        layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x)),
        layers.LayerNormalization()(layers.Dropout(0.1)(x)),
        layers.LSTM(3)(x, mask=ops.greater(tokens, 2)),
        layers.GRU(3, unroll=True)(x + 1.0),
        layers.GlobalAveragePooling1D()(layers.Add()([x, x + 1.0])),
        layers.GlobalAveragePooling1D()(keras.Sequential([keras.Input((6, 4)), layers.Dense(3)])(x)),
        layers.MultiHeadAttention(2, 3)(x, x, query_mask=ops.greater(tokens, 2)),
        layers.Bidirectional(layers.LSTM(3))(layers.LSTM(3, return_sequences=True)(x)),
    ]
    model = scramble(keras.Model(tokens, outputs))
    live = to_tf_keras(model)
    model.save(tmp_path / "model.keras")
    loaded = to_tf_keras(keras.models.load_model(tmp_path / "model.keras"))
    assert wrappers(loaded) == wrappers(live)


@pytest.mark.filterwarnings("ignore:Layer 'flat' .* was passed an input with a mask:UserWarning")
def test_a_layer_that_passes_the_mask_on_in_keras_3_only_is_wrapped_only_where_it_is_used() -> None:
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(9, 4, mask_zero=True, name="table")(tokens)
    x = layers.Rescaling(2.0, name="twice")(x)
    assert wrappers(to_tf_keras(keras.Model(tokens, layers.Flatten(name="flat")(x)))) == []
    assert wrappers(to_tf_keras(keras.Model(tokens, layers.LSTM(3, name="lstm")(x)))) == ["twice"]
