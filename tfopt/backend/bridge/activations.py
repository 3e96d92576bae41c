"""Activations of Keras 3 that tf_keras lacks, or has under the same name with a different function.

Registered with tf_keras, so that layers with them can be cloned and saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf
import tf_keras

_register = tf_keras.saving.register_keras_serializable(package="tfopt")


@_register
def keras3_hard_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """relu6(x + 3) / 6; tf_keras's `hard_sigmoid` is clip(0.2 x + 0.5, 0, 1)."""
    return keras.activations.hard_sigmoid(x)


@_register
def keras3_hard_silu(x: tf.Tensor) -> tf.Tensor:
    """x * relu6(x + 3) / 6, also called hard swish."""
    return keras.activations.hard_silu(x)


@_register
def keras3_leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """Slope 0.2 for negative values."""
    return keras.activations.leaky_relu(x)


@_register
def keras3_celu(x: tf.Tensor) -> tf.Tensor:
    """max(0, x) + min(0, exp(x) - 1)."""
    return keras.activations.celu(x)


@_register
def keras3_gelu_approximate(x: tf.Tensor) -> tf.Tensor:
    """GELU by tanh, the default of `keras.ops.gelu`; tf_keras's `gelu` is the exact one."""
    return keras.activations.gelu(x, approximate=True)


@_register
def keras3_glu(x: tf.Tensor) -> tf.Tensor:
    """First half of the last axis, gated by the sigmoid of the second half."""
    return keras.activations.glu(x)


@_register
def keras3_hard_shrink(x: tf.Tensor) -> tf.Tensor:
    """x where |x| > 0.5, else 0."""
    return keras.activations.hard_shrink(x)


@_register
def keras3_hard_tanh(x: tf.Tensor) -> tf.Tensor:
    """x, clipped to [-1, 1]."""
    return keras.activations.hard_tanh(x)


@_register
def keras3_log_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """log(sigmoid(x))."""
    return keras.activations.log_sigmoid(x)


@_register
def keras3_soft_shrink(x: tf.Tensor) -> tf.Tensor:
    """x, moved by 0.5 towards 0."""
    return keras.activations.soft_shrink(x)


@_register
def keras3_sparse_plus(x: tf.Tensor) -> tf.Tensor:
    """0 below -1, x above 1, a parabola between."""
    return keras.activations.sparse_plus(x)


@_register
def keras3_sparse_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """0 below -1, 1 above 1, a line between."""
    return keras.activations.sparse_sigmoid(x)


@_register
def keras3_sparsemax(x: tf.Tensor) -> tf.Tensor:
    """Projection of the last axis onto the simplex."""
    return keras.activations.sparsemax(x)


@_register
def keras3_squareplus(x: tf.Tensor) -> tf.Tensor:
    """(x + sqrt(x^2 + 4)) / 2."""
    return keras.activations.squareplus(x)


@_register
def keras3_tanh_shrink(x: tf.Tensor) -> tf.Tensor:
    """x - tanh(x)."""
    return keras.activations.tanh_shrink(x)


BY_NAME: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    function.__name__.removeprefix("keras3_"): function
    for function in (
        keras3_celu,
        keras3_gelu_approximate,
        keras3_glu,
        keras3_hard_shrink,
        keras3_hard_sigmoid,
        keras3_hard_silu,
        keras3_hard_tanh,
        keras3_leaky_relu,
        keras3_log_sigmoid,
        keras3_soft_shrink,
        keras3_sparse_plus,
        keras3_sparse_sigmoid,
        keras3_sparsemax,
        keras3_squareplus,
        keras3_tanh_shrink,
    )
} | {"hard_swish": keras3_hard_silu}
"""Name in Keras 3 -> function for tf_keras."""

OF_KERAS_HUB: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {"gelu_approximate": keras3_gelu_approximate}
"""Name of a function of KerasHub -> the same function, of which it is known how it is computed in 8 bits."""
