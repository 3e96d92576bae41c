"""Layers that no `.tflite` file can contain, known before training.

Source: what the converter of TensorFlow 2.21 refused, with the operators that TFLite has of its own; docs/layers.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.graph.layers import leaf_layers

_LOOKUP = "TFLite has no tables of words: look them up before the model, and give it the integers"
_VOLUME = "TFLite pools images and sequences, not volumes"

REASONS: Mapping[str, str] = {
    "AdaptiveAveragePooling3D": _VOLUME,
    "AdaptiveMaxPooling3D": _VOLUME,
    "AveragePooling3D": _VOLUME,
    "CategoryEncoding": "TFLite does not count categories (tf.DenseBincount): encode them before the model",
    "HashedCrossing": "TFLite does not cross features (tf.SparseCross): cross them before the model",
    "Hashing": "TFLite does not hash: hash before the model, and give it the integers",
    "IntegerLookup": _LOOKUP,
    "MaxPooling3D": _VOLUME,
    "StringLookup": _LOOKUP,
    "TextVectorization": _LOOKUP,
}
"""Why, by the name of the layer's class in Keras."""


def reason_not_convertible(layer: tf_keras.layers.Layer) -> str | None:
    """Returns why no `.tflite` file can contain a layer; None if no reason is known.

    Args:
        layer: a tf_keras layer, or one that runs a Keras 3 layer.
    """
    return REASONS.get(type(getattr(layer, "wrapped", layer)).__name__)


def layers_not_convertible(model: tf_keras.Model) -> dict[str, str]:
    """The layers of a model that no `.tflite` file can hold, and why, by name."""
    return {layer.name: reason for layer in leaf_layers(model) if (reason := reason_not_convertible(layer))}
