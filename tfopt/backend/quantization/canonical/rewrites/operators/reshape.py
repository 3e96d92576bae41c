"""`tf.reshape`, `tf.expand_dims` and `tf.squeeze` as Reshape."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)

_SYMBOLS = frozenset({"reshape", "expand_dims", "squeeze", "compat.v1.squeeze"})


class Reshape(OperatorAsLayer):
    """Applies where the batch stays the first axis and all other sizes are known."""

    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        before, after = inputs[0].shape[1:], output.shape[1:]
        known = before.is_fully_defined() and after.is_fully_defined()
        if symbol not in _SYMBOLS or len(inputs) != 1 or not known:
            return None
        if before.num_elements() != after.num_elements():
            return None
        return lambda name: layers.Reshape(tuple(after), name=name)
