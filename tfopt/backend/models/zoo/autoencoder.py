"""Autoencoder of MLPerf Tiny (anomaly detection): 269,992 parameters at 640 inputs; with `data.targets: inputs`."""

from __future__ import annotations

from math import prod

import tf_keras
from tf_keras import layers

from tfopt.backend.models.zoo._parts import ExampleShape, batch_norm_relu, vector_input
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


def build(
    input_shape: ExampleShape, num_outputs: int, *, units: int = 128, depth: int = 4, bottleneck: int = 8
) -> tf_keras.Model:
    """Dense layers with batch normalization around a narrow middle, as in github.com/mlcommons/tiny (after DCASE 2020).

    Args:
        input_shape: of what is reproduced; flattened and shaped back.
        num_outputs: size of the last axis, as for every model; must be that of the inputs.
        units: of the wide layers.
        depth: wide layers on each side.
        bottleneck: units in the middle.
    """
    inputs, x = vector_input(input_shape, "autoencoder")
    if num_outputs != input_shape[-1]:
        raise StageError(
            f"The model autoencoder reproduces its {counted(input_shape[-1], 'input')}; the data need "
            f"{counted(num_outputs, 'output')}.",
            "Set data.targets: inputs.",
            code="incompatible_shapes",
        )
    sides = (
        [f"encoder{number}" for number in range(1, depth + 1)],
        [f"decoder{number}" for number in range(1, depth + 1)],
    )
    for name in (*sides[0], "bottleneck", *sides[1]):
        x = layers.Dense(bottleneck if name == "bottleneck" else units, name=name)(x)
        x = batch_norm_relu(x, name)
    x = layers.Dense(prod(input_shape), name="reconstruction")(x)
    if len(input_shape) > 1:
        x = layers.Reshape(input_shape, name="restore_shape")(x)
    return tf_keras.Model(inputs, x, name="autoencoder")
