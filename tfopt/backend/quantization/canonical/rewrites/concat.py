"""`tf.concat` and the mean over an image or sequence as layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operator import Build, OperatorAsLayer

_MEANS = {(3, (1,)): layers.GlobalAveragePooling1D, (4, (1, 2)): layers.GlobalAveragePooling2D}


class Concatenation(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if symbol != "concat" or len(inputs) != len(tf.nest.flatten(arguments["values"])) or len(inputs) < 2:
            return None
        axis = int(arguments["axis"])
        return (lambda name: layers.Concatenate(axis, name=name)) if axis % output.shape.rank else None


class Mean(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if symbol != "math.reduce_mean" or len(inputs) != 1 or arguments["axis"] is None:
            return None
        rank = inputs[0].shape.rank
        kind = _MEANS.get((rank, tuple(sorted(int(axis) % rank for axis in tf.nest.flatten(arguments["axis"])))))
        keepdims = bool(arguments["keepdims"])
        return kind and (lambda name: kind(keepdims=keepdims, name=name))
