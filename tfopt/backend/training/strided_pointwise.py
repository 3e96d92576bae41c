"""Spares training a kernel of TensorFlow that corrupts memory: the filter gradient of strided 1x1 convolutions.

Measured with TensorFlow 2.21 and oneDNN on an x86 processor: `Conv2DBackpropFilter` with a 1x1 kernel, stride 2, 8
input and 16 output channels on 60x60 pixels kills the process (`free(): invalid next size`, or a segmentation fault) in
every attempt, in plain `model.fit` too; not on 32x32 pixels, not with 24 output channels, and not with
TF_ENABLE_ONEDNN_OPTS=0, which makes training 1.3 to 2 times slower. Published face and emotion models (mini-Xception)
have such layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import all_layers


@contextmanager
def strided_pointwise_spared(model: tf_keras.Model) -> Iterator[None]:
    """While it lasts, strided 1x1 convolutions pick every n-th pixel first, and then convolve without a stride.

    The outputs are the same; the functions traced meanwhile hold the safe gradient.

    Args:
        model: any model, possibly with layers inside wrappers; it is as before afterwards.
    """
    layers = [layer for layer in all_layers(model) if _is_strided_pointwise(layer)]
    for layer in layers:
        layer.convolution_op = _picked_first(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.convolution_op


def _is_strided_pointwise(layer: tf_keras.layers.Layer) -> bool:
    return (
        type(layer) is tf_keras.layers.Conv2D
        and layer.kernel_size == (1, 1)
        and layer.strides != (1, 1)
        and layer.data_format == "channels_last"
    )


def _picked_first(layer: tf_keras.layers.Conv2D) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    strides = layer.strides

    def convolve(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(_every(inputs, *strides), kernel, strides=1, padding="VALID")

    return convolve


def _every(images: tf.Tensor, down: int, right: int) -> tf.Tensor:
    """`images[:, ::down, ::right, :]` by reshaping.

    The gradient of a strided slice is slow: with it, training ResNet-8 took 1.13 times as long per step as with the
    strided convolution itself; with this, 0.9 times.

    Args:
        images: shape (n, height, width, channels).
        down: of so many rows, the first is taken.
        right: of so many columns, the first is taken.
    """
    channels = images.shape[3]
    n, height, width, _ = tf.unstack(tf.shape(images))
    rows, columns = -(-height // down), -(-width // right)
    if images.shape[1] is None or images.shape[2] is None or images.shape[1] % down or images.shape[2] % right:
        images = tf.pad(images, [[0, 0], [0, rows * down - height], [0, columns * right - width], [0, 0]])
    blocks = tf.reshape(images, [n * rows, down, columns, right * channels])
    return tf.reshape(tf.slice(blocks, [0, 0, 0, 0], [-1, 1, -1, channels]), [n, rows, columns, channels])
