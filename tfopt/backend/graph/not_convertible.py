"""Layers that no `.tflite` file can contain, known before training.

Source: what the converter of TensorFlow 2.21 refused, with the operators that TFLite has of its own; docs/layers.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.types import Shape

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
COMPLEX_OPERATIONS = frozenset({"Complex", "FFT2D", "FFT3D", "IFFT", "IFFT2D", "IFFT3D", "IRFFT", "IRFFT2D"})
"""Operations of TensorFlow on complex numbers that the converter refused, one per file."""


def reason_not_convertible(layer: tf_keras.layers.Layer) -> str | None:
    """Returns why no `.tflite` file can contain a layer; None if no reason is known.

    Args:
        layer: a tf_keras layer, or one that runs a Keras 3 layer.
    """
    return REASONS.get(type(getattr(layer, "wrapped", layer)).__name__)


def layers_not_convertible(model: tf_keras.Model) -> dict[str, str]:
    """The layers of a model that no `.tflite` file can hold, and why, by name."""
    return {layer.name: reason for layer in leaf_layers(model) if (reason := reason_not_convertible(layer))}


def layers_with_complex_numbers(model: tf_keras.Model, shapes: Mapping[str, Shape]) -> dict[str, str]:
    """Layers of other people's in whose graphs are operations on complex numbers that TFLite has not, and why, by name.

    Args:
        model: functional or built; it is traced only if it has layers that are not of Keras or of tfopt.
        shapes: of one example, by name of an input with open axes.
    """
    layers = [layer for layer in leaf_layers(model) if not _is_known(layer)]
    if not layers:
        return {}
    specs = [
        tf.TensorSpec((tensor.shape[0], *shapes.get(name, tensor.shape[1:])), tensor.dtype)
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    ]

    def traced(*inputs: tf.Tensor) -> object:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    graph = tf.function(traced).get_concrete_function(*specs).graph
    names = LayerNames([layer.name for layer in leaf_layers(model)])
    found: dict[str, set[str]] = {}
    for operation in graph.get_operations():
        if operation.type in COMPLEX_OPERATIONS and (name := names.of(operation.name)) is not None:
            found.setdefault(name, set()).add(operation.type)
    return {name: f"TFLite has no operator for {', '.join(sorted(types))}" for name, types in found.items()}


def _is_known(layer: tf_keras.layers.Layer) -> bool:
    return type(getattr(layer, "wrapped", layer)).__module__.startswith(("tf_keras.", "keras.src.", "tfopt."))
