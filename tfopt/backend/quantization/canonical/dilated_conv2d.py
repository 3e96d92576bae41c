"""Dilated convolution that is one operator in the file."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers


class DilatedConv2D(layers.Conv2D):
    """Conv2D that is one operator at inference, whatever its dilation.

    Keras computes a dilated convolution as SPACE_TO_BATCH_ND, CONV_2D and BATCH_TO_SPACE_ND, of which all but the first
    stay float in the file (TF 2.21, without calibration data). TensorFlow's direct operator has no gradient on CPUs, so
    training computes it as Keras does. Without groups: the direct operator has none on CPUs either.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training is not False:
            return super().call(inputs)
        outputs = tf.nn.conv2d(inputs, self.kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)
