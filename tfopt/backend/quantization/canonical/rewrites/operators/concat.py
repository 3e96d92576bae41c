"""`tf.concat` as Concatenate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import Build, OperatorAsLayer


class Concat(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if symbol != "concat" or len(inputs) != len(tf.nest.flatten(arguments["values"])) or len(inputs) < 2:
            return None
        axis = int(arguments["axis"])
        return (lambda name: layers.Concatenate(axis, name=name)) if axis % output.shape.rank else None
