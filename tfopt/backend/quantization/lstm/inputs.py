"""With which range the input of each simulated LSTM is rounded: its kernel rounds products by the scale of that."""

from __future__ import annotations

from functools import partial

import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeWrapper

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.float_fallback import MOVE_VALUES
from tfopt.backend.quantization.lstm.simulated import SimulatedLSTM, simulated_lstms
from tfopt.backend.quantization.quantizers import FixedQuantizer, Observing, Ranges


def find_input_ranges(model: tf_keras.Model) -> None:
    """Gives each simulated LSTM of a wrapped model the range of its input; it has none where it is not known."""
    graph = Graph(model)
    for layer in simulated_lstms(model):
        layer.input_range = partial(_itself, _range_of(graph, graph.producers(layer.name)[0]))


def _itself(ranges: Ranges | None) -> Ranges | None:
    return ranges


def _range_of(graph: Graph, name: str) -> Ranges | None:
    """The range of a layer's result."""
    layer = graph.layers[name]
    if isinstance(layer, SimulatedLSTM):
        return layer.ranges
    if isinstance(layer, QuantizeLayer):
        return layer.quantizer_vars
    inner = layer
    if isinstance(layer, QuantizeWrapper):
        inner = layer.layer
        quantizer = next(iter(layer._output_quantizers), None)
        if isinstance(quantizer, FixedQuantizer):
            ends = {"min_var": quantizer.low, "max_var": quantizer.high}
            return {name: tf.Variable(end, trainable=False) for name, end in ends.items()}
        if quantizer is not None:
            return layer._output_quantizer_vars if isinstance(quantizer, Observing) else None
    moves = isinstance(inner, MOVE_VALUES) and len(graph.producers(name)) == 1
    return _range_of(graph, graph.producers(name)[0]) if moves else None
