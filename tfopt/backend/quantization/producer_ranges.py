"""Layers that round with the range of their input: kernels of LSTMs, and operators with one scale on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeWrapper
from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.float_fallback import MOVE_VALUES
from tfopt.backend.quantization.lstm.simulated import SimulatedLSTM, simulated_lstms
from tfopt.backend.quantization.quantizers import FixedQuantizer, Observing, Ranges
from tfopt.backend.quantization.same_range import SameRangeQuantizer


def find_producer_ranges(model: tf_keras.Model) -> None:
    """Gives each layer of a wrapped model that needs it the range of its input; it has none where it is not known."""
    graph = Graph(model)
    for layer in simulated_lstms(model):
        layer.input_range = _of_input(graph, layer.name)
    for name, quantizer in same_range_quantizers(model):
        quantizer.input_range = _of_input(graph, name)


def same_range_quantizers(model: tf_keras.Model) -> Iterator[tuple[str, SameRangeQuantizer]]:
    """By name of the wrapper."""
    for layer in model.layers:
        quantizer = _output_quantizer(layer)
        if isinstance(quantizer, SameRangeQuantizer):
            yield layer.name, quantizer


def _of_input(graph: Graph, name: str) -> partial[Ranges | None]:
    # A function of the range, because layers track variables that are their attributes as their own.
    return partial(_itself, _range_of(graph, graph.producers(name)[0]))


def _itself(ranges: Ranges | None) -> Ranges | None:
    return ranges


def _range_of(graph: Graph, name: str) -> Ranges | None:
    """The range of a layer's result."""
    layer = graph.layers[name]
    if isinstance(layer, SimulatedLSTM):
        return layer.ranges
    if isinstance(layer, QuantizeLayer):
        return layer.quantizer_vars
    quantizer = _output_quantizer(layer)
    if isinstance(quantizer, FixedQuantizer):
        ends = {"min_var": quantizer.low, "max_var": quantizer.high}
        return {name: tf.Variable(end, trainable=False) for name, end in ends.items()}
    if isinstance(quantizer, Observing):
        return layer._output_quantizer_vars
    inner = layer.layer if isinstance(layer, QuantizeWrapper) else layer
    keeps = isinstance(quantizer, SameRangeQuantizer) or (quantizer is None and isinstance(inner, MOVE_VALUES))
    return _range_of(graph, graph.producers(name)[0]) if keeps and len(graph.producers(name)) == 1 else None


def _output_quantizer(layer: tf_keras.layers.Layer) -> Quantizer | None:
    return next(iter(layer._output_quantizers), None) if isinstance(layer, QuantizeWrapper) else None
