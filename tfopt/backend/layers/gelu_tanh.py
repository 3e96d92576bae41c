"""The GELU of GPT-2, which is computed with tanh; the `gelu` of tf_keras is the exact one."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


@tf_keras.saving.register_keras_serializable(package="tfopt")
def gelu_tanh(x: tf.Tensor) -> tf.Tensor:
    """x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) (Hendrycks, Gimpel 2016, arXiv:1606.08415)."""
    return tf.nn.gelu(x, approximate=True)
