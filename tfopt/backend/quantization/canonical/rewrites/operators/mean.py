"""`tf.reduce_mean` over an image or a sequence as global average pooling."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)

_POOLING = {(3, (1,)): layers.GlobalAveragePooling1D, (4, (1, 2)): layers.GlobalAveragePooling2D}


class Mean(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if symbol != "math.reduce_mean" or len(inputs) != 1 or arguments["axis"] is None:
            return None
        rank = len(inputs[0].shape)
        kind = _POOLING.get((rank, tuple(sorted(int(axis) % rank for axis in tf.nest.flatten(arguments["axis"])))))
        keepdims = bool(arguments["keepdims"])
        return kind and (lambda name: kind(keepdims=keepdims, name=name))
