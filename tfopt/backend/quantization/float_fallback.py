"""Which layers compute in float in an int8 file, and why; found from the model alone, before training.

All of it was measured on converted files. The converter fails (RuntimeError without a message) where the output of one
of these layers is rounded, so they are never rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import TFOpLambda
from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.canonical.custom_layers import InsertAxes, RemoveAxes, Slice
from tfopt.backend.quantization.canonical.lstm_scales import is_lstm_operator
from tfopt.backend.quantization.canonical.mask_layers import NotEqual
from tfopt.backend.quantization.own_functions import float_reason_of_function
from tfopt.backend.quantization.traced_floats import TracedFloat, traced_floats

FLOAT_FUNCTIONS: Mapping[str, str] = {"elu": "TFLite has no integer kernel for ELU"}
"""Activation functions that compute in float, and why."""

_LOOP = (
    "TFLite runs it as a loop, which computes in float with int8 kernels; unroll=True makes it integer, with a copy of "
    "its operators for each step (8 times the bytes of one measured model)"
)
_COMPARISON = "TFLite turns the result of its comparison into numbers in float"


def _of_relu(layer: layers.Layer) -> str | None:
    if float(layer.threshold) != 0:
        return _COMPARISON
    # Keras computes the part below zero from the negative input then, and not by one LEAKY_RELU.
    negated = float(layer.negative_slope) != 0 and layer.max_value is not None
    return "TFLite has no integer kernel for NEG" if negated else None


def _of_comparison(layer: layers.Layer) -> str | None:
    return FLOAT_NAMES["Masking"] if layer.any_feature else None


def _of_recurrent(layer: layers.Layer) -> str | None:
    return None if layer.unroll or is_lstm_operator(layer) else _LOOP


def _always(reason: str) -> Callable[[layers.Layer], str | None]:
    return lambda layer: reason


FLOAT_LAYERS: Mapping[type, Callable[[layers.Layer], str | None]] = {
    layers.ELU: _always(FLOAT_FUNCTIONS["elu"]),
    layers.ReLU: _of_relu,
    layers.ThresholdedReLU: _always(_COMPARISON),
    NotEqual: _of_comparison,
    layers.Conv3D: _always("TFLite has no integer kernel for CONV_3D"),
    layers.Conv3DTranspose: _always("TFLite has no integer kernel for CONV_3D_TRANSPOSE"),
    layers.RNN: _of_recurrent,
    layers.SimpleRNN: _of_recurrent,
    layers.GRU: _of_recurrent,
    layers.LSTM: _of_recurrent,
    layers.ConvLSTM1D: _of_recurrent,
    layers.ConvLSTM2D: _of_recurrent,
    layers.ConvLSTM3D: _of_recurrent,
}
"""By layer type, a function that returns why the layer stays float, or None if it does not."""

FLOAT_NAMES: Mapping[str, str] = {
    "AudioFeatures": "TFLite has no integer Fourier transform",
    "AutoContrast": "TFLite compares its numbers in float",
    "ContrastLimitedAdaptiveHistogramEqualization": "TFLite adds up its histograms in float",
    "Discretization": "TFLite compares real numbers with its bounds",
    "GroupNormalization": "TFLite has no integer kernel for SQUARE",
    "Masking": "TFLite compares with its value in float",
    "MelSpectrogram": "TFLite has no integer Fourier transform",
    "RMSNormalization": "TFLite has no integer kernel for SQUARE",
    "STFTSpectrogram": "TFLite has no integer Fourier transform",
}
"""Layers of which a few operators stay float, by the name of the class in Keras: some run in Keras 3."""

_ONE_SCALE = (layers.Concatenate, layers.Maximum, layers.UpSampling2D)
"""Layers whose operands and output have the same scale in TFLite."""


MOVE_VALUES = (
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Dropout,
    layers.Flatten,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.Permute,
    layers.RepeatVector,
    layers.Reshape,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    InsertAxes,
    RemoveAxes,
    Slice,
)
"""Layers whose output has the scale of their input."""


def float_layers(model: tf_keras.Model, names: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The layers that stay float in an int8 file, and why, by Keras name; those of nested models too.

    Args:
        model: a built functional or sequential model.
        names: the name to show of a layer that is the reason, where that is not its own name.

    Raises:
        StageError: the connections of the layers are not known.
    """
    graph = Graph(model)
    traced = traced_floats(model)
    found = {layer.name: reason for layer in leaf_layers(model) if (reason := float_reason(layer))}
    for name, floats in traced.items():
        found.setdefault(name, floats.reason)
    for name in graph.layers:
        if isinstance(graph.layers[name], layers.LSTM) and not graph.layers[name].unroll and graph.is_masked(name):
            found.setdefault(name, _LOOP)  # the fused operator takes no mask
        if is_between_floats(graph, name, traced):
            found.setdefault(name, "it is between layers that stay float, where rounding would only cost")
        if neighbour := shares_float_scale(graph, name, traced):
            found.setdefault(name, f"it has one scale with {names.get(neighbour, neighbour)}, which stays float")
            for mover in graph.producers(name):
                if isinstance(graph.layers[mover], MOVE_VALUES) and neighbour in value_producers(graph, mover):
                    reason = f"it passes on the result of {names.get(neighbour, neighbour)}, which stays float"
                    found.setdefault(mover, reason)
    return found


def original_float_layers(canonical: Canonical) -> dict[str, str]:
    """As `float_layers`, for a model of which the canonical form exists already: by name of the original layer."""
    found: dict[str, str] = {}
    for name, reason in float_layers(canonical.model, canonical.original_names).items():
        found.setdefault(canonical.original_names[name], reason)
    return found


def float_reason(layer: layers.Layer) -> str | None:
    """Why a layer stays float in the file by itself; None if it does not."""
    if isinstance(layer, layers.Bidirectional):
        return float_reason(layer.forward_layer)
    if isinstance(layer, layers.TimeDistributed):
        return float_reason(layer.layer)
    named = FLOAT_NAMES.get(type(getattr(layer, "wrapped", layer)).__name__)
    reason = FLOAT_LAYERS.get(type(layer))
    return (reason(layer) if reason else None) or named or _of_function(layer)


def shares_float_scale(graph: Graph, name: str, traced: Mapping[str, TracedFloat]) -> str | None:
    """The float layer with which a layer must share its scale in TFLite, so that it stays float too; None if none.

    Args:
        graph: of the model.
        name: of the layer.
        traced: what its layers compute in float that cannot be told from their types.
    """
    if type(graph.layers[name]) not in _ONE_SCALE:
        return None
    return next(
        (
            producer
            for producer in value_producers(graph, name)
            if float_reason(graph.layers[producer])
            or (producer in traced and traced[producer].at_end)
            or shares_float_scale(graph, producer, traced)
        ),
        None,
    )


def is_between_floats(graph: Graph, name: str, traced: Mapping[str, TracedFloat]) -> bool:
    """Whether a layer without weights only takes and only gives what operations without an integer kernel compute.

    Args:
        graph: of the model.
        name: of the layer.
        traced: what its layers compute in float that cannot be told from their types.
    """
    around = (graph.producers(name), graph.consumers(name))
    return (
        all(around)
        and not graph.is_output(name)
        and not graph.layers[name].weights
        and all(_is_float_operation(graph, other, traced) for side in around for other in side)
    )


def _is_float_operation(graph: Graph, name: str, traced: Mapping[str, TracedFloat]) -> bool:
    layer = graph.layers[name]
    is_operation = isinstance(layer, TFOpLambda) or not hasattr(getattr(layer, "wrapped", layer), "weights")
    return is_operation and name in traced and traced[name].operators != ("CAST",)


def value_producers(graph: Graph, name: str) -> Iterator[str]:
    """The layers that make the values which a layer takes; layers that only move values are passed through."""
    for producer in graph.producers(name):
        if isinstance(graph.layers[producer], MOVE_VALUES):
            yield from value_producers(graph, producer)
        else:
            yield producer


def _of_function(layer: layers.Layer) -> str | None:
    return FLOAT_FUNCTIONS.get(_function_name(layer)) or float_reason_of_function(layer)


def _function_name(layer: layers.Layer) -> str:
    # The `activation` of a recurrent layer is inside its loop or operator.
    return "linear" if isinstance(layer, layers.RNN) else function_name(layer)
