"""A converter of a Keras model that costs a fraction of `TFLiteConverter.from_keras_model`."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

import tensorflow as tf
import tf_keras

from tfopt.backend.export.keras_files.saved_model import signature_of, write_saved_model


def converter_of(model: tf_keras.Model, original: tf_keras.Model | None = None) -> tf.lite.TFLiteConverter:
    """As `from_keras_model`, but from the SavedModel that the product writes, for which the model is traced once.

    For Keras' own SavedModel every layer is traced several times.

    Args:
        model: functional or sequential.
        original: the float model, where `model` has wrappers around its layers: names inputs and outputs.
    """
    folder = tempfile.mkdtemp()
    write_saved_model(model, signature_of(original or model), Path(folder), batch=model.inputs[0].shape[0])
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    weakref.finalize(converter, shutil.rmtree, folder)
    return converter
