"""`tf.nn.relu6(x)` and other activation functions as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
    constant,
)

_FUNCTIONS: Mapping[str, Callable[[str], layers.Layer]] = {
    "nn.relu": lambda name: layers.ReLU(name=name),
    "nn.relu6": lambda name: layers.ReLU(6.0, name=name),
    "nn.silu": lambda name: layers.Activation("swish", name=name),
    "nn.elu": lambda name: layers.ELU(name=name),
    "nn.selu": lambda name: layers.Activation("selu", name=name),
    "math.sigmoid": lambda name: layers.Activation("sigmoid", name=name),
    "math.softplus": lambda name: layers.Activation("softplus", name=name),
    "math.tanh": lambda name: layers.Activation("tanh", name=name),
}


class Activations(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if len(inputs) != 1:
            return None
        if symbol == "nn.leaky_relu":
            slope = float(arguments["alpha"])
            return lambda name: layers.LeakyReLU(slope, name=name)
        if symbol == "nn.softmax" and arguments["axis"] in (None, -1, len(inputs[0].shape) - 1):
            return lambda name: layers.Activation("softmax", name=name)
        if symbol == "nn.gelu" and not arguments["approximate"]:
            return lambda name: layers.Activation("gelu", name=name)
        if symbol == "math.maximum" and 0.0 in (constant(arguments["x"], None), constant(arguments["y"], None)):
            return lambda name: layers.ReLU(name=name)
        if symbol == "clip_by_value" and constant(arguments["clip_value_min"], None) == 0:
            most = constant(arguments["clip_value_max"], None)
            return None if most is None else lambda name: layers.ReLU(most, name=name)
        default = arguments.get("beta", 1.0) == 1.0
        return _FUNCTIONS.get(symbol) if default else None
