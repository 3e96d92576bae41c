"""Models of one layer, of every kind that the converter takes: what becomes of a layer alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tf_keras
from tf_keras import layers as L

SEQUENCE, IMAGE, VOLUME, VECTOR = (8, 6), (8, 8, 4), (6, 6, 6, 2), (12,)


def _of_one(shape: tuple[int, ...], *made: L.Layer) -> Iterator[tuple[str, Callable[[], tf_keras.Model]]]:
    for layer in made:
        options = [f"{key}={layer.get_config()[key]}" for key in _TELLING if layer.get_config().get(key)]
        yield f"{type(layer).__name__}({', '.join(options)})", lambda layer=layer: _model(shape, layer)


_TELLING = ("activation", "padding", "dilation_rate", "strides", "interpolation", "return_sequences", "unroll")


def _model(shape: tuple[int, ...], layer: L.Layer, dtype: str = "float32") -> tf_keras.Model:
    inputs = tf_keras.Input(shape, name="inputs", dtype=dtype)
    return tf_keras.Model(inputs, layer(inputs))


def _of_two(layer: L.Layer, shape: tuple[int, ...] = SEQUENCE) -> tuple[str, Callable[[], tf_keras.Model]]:
    def made() -> tf_keras.Model:
        both = [tf_keras.Input(shape, name=name) for name in ("left", "right")]
        return tf_keras.Model(both, layer(*both) if isinstance(layer, L.MultiHeadAttention) else layer(both))

    return type(layer).__name__, made


def one_layer_models() -> Iterator[tuple[str, Callable[[], tf_keras.Model]]]:
    """Name and builder of each model."""
    conv: dict[str, Any] = {"filters": 4, "kernel_size": 3}
    yield from _of_one(
        IMAGE,
        L.Conv2D(**conv), L.Conv2D(**conv, padding="same", strides=2), L.Conv2D(**conv, dilation_rate=2),
        L.Conv2D(**conv, activation="relu"), L.Conv2D(**conv, activation="swish"), L.Conv2D(**conv, activation="tanh"),
        L.Conv2DTranspose(**conv, strides=2), L.Conv2DTranspose(**conv, activation="relu", padding="same"),
        L.DepthwiseConv2D(3), L.DepthwiseConv2D(3, dilation_rate=2), L.SeparableConv2D(**conv, activation="relu"),
        L.AveragePooling2D(), L.MaxPooling2D(), L.GlobalAveragePooling2D(), L.GlobalMaxPooling2D(),
        L.UpSampling2D(), L.UpSampling2D(interpolation="bilinear"), L.ZeroPadding2D(), L.Cropping2D(),
        L.CenterCrop(4, 4), L.Resizing(4, 4), L.Flatten(), L.Permute((3, 1, 2)), L.Reshape((16, 16)),
        L.BatchNormalization(), L.LayerNormalization(), L.GroupNormalization(2), L.UnitNormalization(),
        L.PReLU(shared_axes=[1, 2]), L.Rescaling(0.5, -1.0), L.Normalization(mean=0.5, variance=2.0),
    )  # fmt: skip
    yield from _of_one(
        SEQUENCE,
        L.Conv1D(4, 3), L.Conv1D(4, 3, padding="causal", activation="relu"), L.Conv1D(4, 3, dilation_rate=2),
        L.Conv1DTranspose(4, 3), L.DepthwiseConv1D(3), L.SeparableConv1D(4, 3), L.Dense(5),
        L.EinsumDense("abc,cd->abd", (None, 5)),
        L.AveragePooling1D(), L.MaxPooling1D(), L.GlobalAveragePooling1D(), L.GlobalMaxPooling1D(), L.UpSampling1D(),
        L.ZeroPadding1D(), L.Cropping1D(), L.LSTM(4), L.LSTM(4, return_sequences=True),
        L.LSTM(4, recurrent_activation="hard_sigmoid"), L.GRU(4), L.GRU(4, unroll=True), L.SimpleRNN(4),
        L.Bidirectional(L.LSTM(4, return_sequences=True)), L.TimeDistributed(L.Dense(3)),
    )  # fmt: skip
    yield from _of_one(
        VOLUME, L.Conv3D(2, 3), L.Conv3DTranspose(2, 3), L.GlobalAveragePooling3D(), L.GlobalMaxPooling3D(),
        L.UpSampling3D(), L.ZeroPadding3D(), L.Cropping3D(), L.ConvLSTM2D(2, 3),
    )  # fmt: skip
    functions = (
        "relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "swish", "gelu", "elu", "exponential",
        "hard_sigmoid", "leaky_relu", "mish", "selu", "softplus", "softsign",
    )  # fmt: skip
    yield from _of_one(
        VECTOR,
        *(L.Activation(function) for function in functions), *(L.Dense(5, activation=name) for name in functions),
        L.ReLU(), L.ReLU(6), L.ReLU(max_value=3), L.ReLU(threshold=0.5), L.LeakyReLU(), L.ELU(), L.Softmax(),
        L.ThresholdedReLU(), L.RepeatVector(3), L.Discretization([0.0, 0.5, 1.0]), L.Dropout(0.5),
    )  # fmt: skip
    yield "Embedding", lambda: _model((8,), L.Embedding(20, 4), "int32")
    for layer in (
        L.Add(), L.Subtract(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(), L.Concatenate(), L.Dot(axes=2),
        L.Attention(), L.AdditiveAttention(), L.MultiHeadAttention(2, 4),
    ):  # fmt: skip
        yield _of_two(layer)
