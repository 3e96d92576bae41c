"""`tf.transpose` as Permute."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)


class Transpose(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if not symbol.endswith("transpose") or len(inputs) != 1 or arguments.get("perm") is None:
            return None
        first, *rest = (int(axis) for axis in arguments["perm"])
        return None if first else lambda name: layers.Permute(rest, name=name)
