"""Putting tfmot's wrappers around a model in canonical form, and taking them off again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tf_keras
from tensorflow_model_optimization.quantization.keras import (
    QuantizeWrapper,
    quantize_annotate_layer,
    quantize_apply,
)
from tf_keras.utils import custom_object_scope

from tfopt.backend.quantization.annotation import annotated
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.canonical.copying import copy_model, readable
from tfopt.backend.quantization.canonical.weights import leaf, ordered
from tfopt.backend.quantization.quantizers import InputQuantizer
from tfopt.backend.quantization.registry import EightBitRegistry
from tfopt.backend.quantization.scheme import EightBitScheme
from tfopt.backend.quantization.weight_constraints import Preserve, hold, settled
from tfopt.core.config.quantization import Quantization
from tfopt.errors import StageError

_PREFIX = "quant_"


def wrap(canonical: Canonical, quantization: Quantization, preserve: Preserve) -> tf_keras.Model:
    """Builds the model that simulates 8 bits; ranges are not set yet.

    The same model, rules and `preserve` always give the same wrappers, with the same names.

    Args:
        canonical: float model in canonical form; it is not changed.
        quantization: which layers of the original are left out.
        preserve: what the weights must not lose; zeros and equal values are taken from the canonical model.

    Raises:
        StageError: no layer can be simulated.
    """
    names = annotated(canonical, quantization.layers)
    if not names:
        raise StageError(
            f"No layer of the model {canonical.original.name!r} can be simulated in 8 bits: every layer is skipped by "
            "a rule or of a type that is not supported.",
            "Leave the qat stage out; the int8 export quantizes after training.",
            code="no_layer_left",
        )
    with readable(canonical.model), custom_object_scope({"InputQuantizer": InputQuantizer}):
        copy = copy_model(canonical.model)
        marked = tf_keras.models.clone_model(
            copy, clone_function=lambda layer: quantize_annotate_layer(layer) if layer.name in names else layer
        )
        registry = EightBitRegistry(preserve, frozenset(names))
        wrapped = quantize_apply(marked, EightBitScheme(registry), quantized_layer_name_prefix=_PREFIX)
    _freeze(wrapped)
    for layer in wrapped.layers:
        if not isinstance(layer, QuantizeWrapper):
            hold(layer.trainable_weights, preserve)
    return wrapped


def strip(wrapped: tf_keras.Model, canonical: Canonical) -> tf_keras.Model:
    """A plain model with the weights of a wrapped one.

    Args:
        wrapped: what `wrap` made of `canonical`, and perhaps trained since.
        canonical: knows the architecture and layer names of the result, and the way back to them.

    Returns:
        A new model. Weights that are held at zero are zero in it.
    """
    found = {layer.name: layer for layer in wrapped.layers}
    return canonical.restored({layer.name: _weights(layer, found) for layer in canonical.model.layers})


def wrappers(model: tf_keras.Model) -> Iterator[QuantizeWrapper]:
    """All tfmot wrappers of a model."""
    return (layer for layer in model.layers if isinstance(layer, QuantizeWrapper))


def _freeze(wrapped: tf_keras.Model) -> None:
    """Keeps frozen layers frozen.

    tfmot's wrapper takes the kernel into its own list of trainable weights and so trains the kernel of a layer with
    `trainable=False` (measured: changes of up to 0.012); setting `trainable` on the wrapper does not help.
    """
    for wrapper in wrappers(wrapped):
        if not wrapper.layer.trainable:
            wrapper._non_trainable_weights.extend(wrapper._trainable_weights)
            wrapper._trainable_weights.clear()


def _weights(layer: tf_keras.layers.Layer, wrapped: Mapping[str, tf_keras.layers.Layer]) -> Sequence[np.ndarray]:
    if layer.name in wrapped:
        return wrapped[layer.name].get_weights()
    return ordered(layer, _values(wrapped[_PREFIX + layer.name]))


def _values(wrapper: QuantizeWrapper) -> dict[str, Any]:
    """Weights of a wrapped layer by name, with the zeros and clusters that its quantizer holds."""
    values = {leaf(variable): variable.numpy() for variable in wrapper.weights}
    for variable, _, made in wrapper._weight_vars:
        values[leaf(variable)] = settled(values[leaf(variable)], made)
    return values
