"""Dense layers only: for tables, and for anything flattened."""

from __future__ import annotations

from collections.abc import Sequence

import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier, vector_input


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    units: Sequence[int] = (128, 64),
    dropout: float = 0.0,
    output: Output = "softmax",
) -> tf_keras.Model:
    """A multilayer perceptron with ReLU.

    Args:
        input_shape: any; flattened.
        num_outputs: classes, or quantities with `output: linear`.
        units: of each hidden layer.
        dropout: share dropped after each hidden layer in training.
        output: what follows the layer `logits`.
    """
    inputs, x = vector_input(input_shape, "mlp")
    for number, count in enumerate(units, start=1):
        x = layers.Dense(count, activation="relu", name=f"dense{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return classifier(inputs, x, num_outputs, output, "mlp")
