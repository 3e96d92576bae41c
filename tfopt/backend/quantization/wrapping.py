"""Wrapping a model in canonical form with tfmot's wrappers, and stripping them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import tf_keras
from tensorflow_model_optimization.quantization.keras import (
    QuantizeWrapper,
    quantize_annotate_layer,
    quantize_apply,
)
from tf_keras.utils import custom_object_scope

from tfopt.backend.compat.keras_losses import regularize_as
from tfopt.backend.quantization.annotation import annotated_layers, lstms_to_simulate
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.canonical.copying import copy_model, readable
from tfopt.backend.quantization.canonical.weights import leaf, named, ordered
from tfopt.backend.quantization.lstm.simulated import SimulatedLSTM, simulated
from tfopt.backend.quantization.producer_ranges import find_producer_ranges
from tfopt.backend.quantization.quantizers import InputQuantizer
from tfopt.backend.quantization.registry import EightBitRegistry
from tfopt.backend.quantization.same_range import SameRangeQuantizer
from tfopt.backend.quantization.scheme import EightBitScheme
from tfopt.backend.quantization.weight_constraints import WeightConstraints, constrain, constrained_values
from tfopt.backend.types import Array
from tfopt.core.config.quantization import Quantization
from tfopt.errors import StageError

_PREFIX = "quant_"


def wrap(canonical: Canonical, quantization: Quantization, constraints: WeightConstraints) -> tf_keras.Model:
    """Builds the model that simulates 8 bits; ranges are not set yet.

    The same model, rules and constraints always produce the same wrappers, with the same names.

    Args:
        canonical: float model in canonical form; it is not changed.
        quantization: which layers of the original are left out.
        constraints: what the weights must keep; zeros and equal values are those of the canonical model.

    Raises:
        StageError: no layer can be simulated.
    """
    names = annotated_layers(canonical, quantization.layers)
    if not names:
        raise StageError(
            f"No layer of the model {canonical.original.name!r} can be simulated in 8 bits: every layer is skipped by "
            "a rule, of a type that is not supported, or an LSTM, which is simulated only next to other layers.",
            "Leave the qat stage out; the int8 export quantizes after training.",
            code="no_layer_left",
        )
    lstms = lstms_to_simulate(canonical, quantization.layers)

    def marked_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if layer.name in lstms:
            return simulated(layer)
        return quantize_annotate_layer(layer) if layer.name in names else layer

    own = {one.__name__: one for one in (InputQuantizer, SameRangeQuantizer, SimulatedLSTM)}
    with readable(canonical.model), custom_object_scope(own):
        marked = tf_keras.models.clone_model(copy_model(canonical.model), clone_function=marked_layer)
        registry = EightBitRegistry(constraints, frozenset(names))
        wrapped = quantize_apply(marked, EightBitScheme(registry), quantized_layer_name_prefix=_PREFIX)
    _freeze(wrapped)
    find_producer_ranges(wrapped)
    for wrapper in wrappers(wrapped):
        regularize_as(wrapper, wrapper.layer)
    for layer in wrapped.layers:
        if not isinstance(layer, QuantizeWrapper):
            constrain(layer.trainable_weights, constraints)
    return wrapped


def strip(wrapped: tf_keras.Model, canonical: Canonical) -> tf_keras.Model:
    """A plain model with the weights of a wrapped one.

    Args:
        wrapped: the result of `wrap(canonical, ...)`, possibly trained.
        canonical: has the architecture and layer names of the result, and the way back to them.

    Returns:
        A new model. Weights that are constrained to zero are zero in it.
    """
    by_name = {layer.name: layer for layer in wrapped.layers}
    return canonical.restored({layer.name: _weights(layer, by_name) for layer in canonical.model.layers})


def wrappers(model: tf_keras.Model) -> Iterator[QuantizeWrapper]:
    """All tfmot wrappers of a model."""
    return (layer for layer in model.layers if isinstance(layer, QuantizeWrapper))


def _freeze(wrapped: tf_keras.Model) -> None:
    """Keeps frozen layers frozen.

    tfmot's wrapper adds the kernel to its own list of trainable weights and so trains the kernel of a layer with
    `trainable=False` (measured: changes of up to 0.012); setting `trainable` on the wrapper does not help.
    """
    for wrapper in wrappers(wrapped):
        if not wrapper.layer.trainable:
            wrapper._non_trainable_weights.extend(wrapper._trainable_weights)
            wrapper._trainable_weights.clear()


def _weights(layer: tf_keras.layers.Layer, wrapped: Mapping[str, tf_keras.layers.Layer]) -> Sequence[Array]:
    if layer.name in wrapped:
        same = wrapped[layer.name]
        return ordered(layer, named(same)) if isinstance(same, SimulatedLSTM) else same.get_weights()
    return ordered(layer, _values(wrapped[_PREFIX + layer.name]))


def _values(wrapper: QuantizeWrapper) -> dict[str, Array]:
    """Weights of a wrapped layer by name, with the zeros and clusters that its quantizer keeps."""
    values = {leaf(variable): variable.numpy() for variable in wrapper.weights}
    for variable, _, made in wrapper._weight_vars:
        values[leaf(variable)] = constrained_values(values[leaf(variable)], made)
    return values
