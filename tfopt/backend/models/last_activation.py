"""The activation that a model ends with."""

from __future__ import annotations

import tf_keras

from tfopt.backend.graph.outputs import last_layer

_FUNCTIONS = ("sigmoid", "softmax", "tanh", "relu")


def last_activation(model: tf_keras.Model, index: int = 0) -> str | None:
    """Name of what the last layer of an output does last, e.g. `softmax`; None where its class does not say.

    Args:
        model: a nested model is looked into.
        index: position of the output.
    """
    layer = last_layer(model, index)
    if isinstance(layer, tf_keras.layers.Softmax):
        return "softmax"
    if type(layer).__name__ == "TFOpLambda":  # a function that was called on a tensor: tf.sigmoid(x)
        called = str(layer.get_config().get("function", "")).rpartition(".")[2]
        return called if called in _FUNCTIONS else None
    return getattr(getattr(layer, "activation", None), "__name__", None)
