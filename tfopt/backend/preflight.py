"""What can be done with each layer of a model, found without training."""

from __future__ import annotations

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.prunable import leaf_layers, why_not
from tfopt.core.plan import LayerPreflight
from tfopt.core.quantization import Quantization


def layers(model: tf_keras.Model) -> tuple[LayerPreflight, ...]:
    """One row per layer, nested layers included, in the order of the model."""
    quantized = quantization.preflight(model, Quantization())
    return tuple(
        LayerPreflight(
            name=layer.name,
            type=type(layer).__name__,
            parameters=layer.count_params(),
            output_shape=_shape(layer),
            prunable=why_not(layer),
            quantized=quantized.get(layer.name, "after training"),
        )
        for layer in leaf_layers(model)
    )


def _shape(layer: tf_keras.layers.Layer) -> str:
    shape = layer.output_shape
    if isinstance(shape, list):
        shape = shape[0]
    return " x ".join("?" if size is None else str(size) for size in shape[1:])
