"""`tf.pad` of images with zeros as ZeroPadding2D."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import IMAGE_RANK
from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)


class Pad(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if symbol not in ("pad", "compat.v1.pad") or len(inputs) != 1 or arguments["mode"].upper() != "CONSTANT":
            return None
        sizes = np.asarray(arguments["paddings"])
        if arguments["constant_values"] != 0 or sizes.shape != (IMAGE_RANK, 2) or sizes[[0, -1]].any():
            return None
        height, width = sizes[1:3].tolist()
        return lambda name: layers.ZeroPadding2D((tuple(height), tuple(width)), name=name)
