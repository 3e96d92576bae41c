"""Convolutions along time around a narrow middle, for anomalies in time series; with `data.targets: inputs`."""

from __future__ import annotations

from collections.abc import Sequence

import tf_keras
from tf_keras import layers

from tfopt.backend.models.zoo._parts import ExampleShape, batch_norm_relu
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    filters: Sequence[int] = (16, 32, 32),
    kernel: int = 5,
    bottleneck: int = 8,
) -> tf_keras.Model:
    """Halves the length of a window with each convolution, and doubles it on the way back.

    Args:
        input_shape: (window, columns) of what is reproduced, or (window,).
        num_outputs: size of the last axis, as for every model; must be that of the inputs.
        filters: of each convolution on the way in; the way back has the same in reverse.
        kernel: moments that a convolution sees.
        bottleneck: numbers in the middle, which all that is reproduced must be made of.
    """
    shape = input_shape if isinstance(input_shape, tuple) else ()
    if len(shape) not in (1, 2) or shape[0] < 2:
        raise StageError(
            f"The model series_autoencoder expects windows of a series, (window, columns); the examples have "
            f"{input_shape}.",
            "Choose a model that fits the data: autoencoder reproduces any one array.",
            code="incompatible_shapes",
        )
    if num_outputs != shape[-1]:
        raise StageError(
            f"The model series_autoencoder reproduces its {counted(shape[-1], 'column')}; the data need "
            f"{counted(num_outputs, 'output')}.",
            "Set data.targets: inputs.",
            code="incompatible_shapes",
        )
    if not filters:
        raise StageError("args.filters of the model series_autoencoder must have a number.", code="invalid_argument")
    inputs = x = layers.Input(shape, name="window")
    columns = shape[1] if len(shape) == 2 else 1
    if len(shape) == 1:
        x = layers.Reshape((shape[0], 1), name="add_column")(x)
    factor = 2 ** len(filters)
    padding = -shape[0] % factor
    if padding:
        x = layers.ZeroPadding1D((0, padding), name="pad")(x)
    for number, count in enumerate(filters, 1):
        name = f"encoder{number}"
        x = batch_norm_relu(layers.Conv1D(count, kernel, 2, padding="same", name=name)(x), name)
    narrow = tuple(x.shape[1:])
    x = layers.Dense(bottleneck, name="bottleneck")(layers.Flatten(name="flatten")(x))
    x = batch_norm_relu(layers.Dense(narrow[0] * narrow[1], name="expand")(x), "expand")
    x = layers.Reshape(narrow, name="unflatten")(x)
    for number, count in enumerate([*filters[-2::-1], filters[0]], 1):
        name = f"decoder{number}"
        x = batch_norm_relu(layers.Conv1DTranspose(count, kernel, 2, padding="same", name=name)(x), name)
    if padding:
        x = layers.Cropping1D((0, padding), name="crop")(x)
    x = layers.Conv1D(columns, kernel, padding="same", name="reconstruction")(x)
    if len(shape) == 1:
        x = layers.Reshape(shape, name="remove_column")(x)
    return tf_keras.Model(inputs, x, name="series_autoencoder")
