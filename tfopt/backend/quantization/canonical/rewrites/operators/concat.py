"""`tf.concat` as Concatenate."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)


class Concat(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if symbol != "concat" or len(inputs) != len(tf.nest.flatten(arguments["values"])) or len(inputs) < 2:
            return None
        axis = int(arguments["axis"])
        return (lambda name: layers.Concatenate(axis, name=name)) if axis % len(output.shape) else None
