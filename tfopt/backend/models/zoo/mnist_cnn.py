"""The MNIST network of the tfmot guides: one convolution of 12 filters, 20,410 parameters at 28x28."""

from __future__ import annotations

import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier, image_input


def build(input_shape: ExampleShape, num_outputs: int | OutputSizes, *, output: Output = "softmax") -> tf_keras.Model:
    """Conv2D 12 3x3, 2x2 pooling, Dense.

    From tensorflow.org/model_optimization/guide/pruning/pruning_with_keras. The guide ends with logits and a loss with
    from_logits; `output: linear` is exactly that, and the default adds a softmax, which has no parameters.

    Args:
        input_shape: (height, width, channels), or (height, width) as in the guide.
        num_outputs: classes.
        output: what follows the layer `logits`.
    """
    inputs, x = image_input(input_shape, "mnist_cnn", smallest=4)
    x = layers.Conv2D(12, 3, activation="relu", name="conv")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return classifier(inputs, x, num_outputs, output, "mnist_cnn")
