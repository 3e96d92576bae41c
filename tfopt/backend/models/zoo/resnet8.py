"""ResNet-8 of MLPerf Tiny (image classification, CIFAR-10): 78,666 parameters at 32x32x3 and 10 classes."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_keras import layers
from tf_keras.regularizers import L2

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, batch_norm_relu, classifier, image_input


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    filters: int = 16,
    blocks: int = 1,
    l2: float = 1e-4,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Three residual stacks (He et al. 2016, arXiv:1512.03385), as in github.com/mlcommons/tiny.

    Args:
        input_shape: (height, width, channels), 8x8 at least.
        num_outputs: classes.
        filters: of the first stack; doubled in each further one.
        blocks: of each stack; 3 make ResNet-20, which has 6 * 3 + 2 layers.
        l2: weight of the kernels' L2 loss.
        output: what follows the layer `logits`.
    """

    def conv(x: tf.Tensor, count: int, size: int, stride: int, name: str) -> tf.Tensor:
        return layers.Conv2D(
            count, size, stride, padding="same", kernel_initializer="he_normal", kernel_regularizer=L2(l2), name=name
        )(x)

    inputs, x = image_input(input_shape, "resnet8", smallest=8)
    x = batch_norm_relu(conv(x, filters, 3, 1, "stem"), "stem")
    for number, stride in ((1, 1), (2, 2), (3, 2)):
        for block in range(1, blocks + 1):
            count, name = filters * 2 ** (number - 1), f"stack{number}" if block == 1 else f"stack{number}_block{block}"
            first = stride if block == 1 else 1
            y = batch_norm_relu(conv(x, count, 3, first, f"{name}_conv1"), f"{name}_conv1")
            y = layers.BatchNormalization(name=f"{name}_conv2_bn")(conv(y, count, 3, 1, f"{name}_conv2"))
            if first > 1:
                x = conv(x, count, 1, first, f"{name}_shortcut")
            x = layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))
    x = layers.AveragePooling2D(min(x.shape[1:3]), name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return classifier(inputs, x, num_outputs, output, "resnet8")
