"""The activation that a model ends with."""

from __future__ import annotations

import tf_keras

_FUNCTIONS = ("sigmoid", "softmax", "tanh", "relu")


def last_activation(model: tf_keras.Model) -> str | None:
    """Name of what the last layer does last, e.g. `softmax`; None where its class does not say.

    Args:
        model: its first output counts; a nested model is looked into.
    """
    return _of_layer(model.get_layer(model.output_names[0]))


def _of_layer(layer: tf_keras.layers.Layer) -> str | None:
    if isinstance(layer, tf_keras.Model):
        return last_activation(layer)
    if isinstance(layer, tf_keras.layers.Softmax):
        return "softmax"
    if type(layer).__name__ == "TFOpLambda":  # a function that was called on a tensor: tf.sigmoid(x)
        called = str(layer.get_config().get("function", "")).rpartition(".")[2]
        return called if called in _FUNCTIONS else None
    return getattr(getattr(layer, "activation", None), "__name__", None)
