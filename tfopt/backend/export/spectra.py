"""Layers that compute spectra of sound stay float in every file: their values reach over many powers of ten.

The energies of the bands of one window differ by a factor of a million. In 8 bits all but the loudest become zero,
before their logarithm is taken: an int8 file with a rounded mel product gave the prediction of its model for 4 % of
spoken digits, and with a float one for 94 %.
"""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.quantization.quantized import Quantized
from tfopt.core.config.files.file_rules import FileRule
from tfopt.core.config.files.tflite_variant import Variant

TYPES = ("AudioFeatures", "MelSpectrogram", "STFTSpectrogram")
"""Layers with a Fourier transform."""


def with_float_spectra(variants: Mapping[str, Variant], model: tf_keras.Model | Quantized) -> dict[str, Variant]:
    """The files, with rules that keep such layers float before the rules of the recipe, which may say otherwise.

    Args:
        variants: the files by name.
        model: what they are made of.
    """
    float_model = model if isinstance(model, tf_keras.Model) else model.float_model
    found = {layer_type(layer) for layer in leaf_layers(float_model)} & set(TYPES)
    if not found:
        return dict(variants)
    rules = tuple(FileRule.model_validate({"type": kind, "quantize": "none"}) for kind in sorted(found))
    return {
        # Sparse files have no rules: their engine has none.
        name: variant
        if variant.sparse or variant.mode.weights.startswith("float")
        else variant.model_copy(update={"layers": (*rules, *(variant.layers or ()))})
        for name, variant in variants.items()
    }
