"""Which layers become TFLite's LSTM operator, and where results of such operators share a scale.

TFLite's int8 LSTM writes its result in the scale of its state, which is calibrated. CONCATENATION has one scale for
all operands, and the converter sets that scale on the LSTM's result but not on its state: the values are wrong by a
factor. Of a Bidirectional they were off by 10 % of the output range (untrained, by 63 %); the export corrects that
(`tfopt.backend.export.integers.lstm_operator`). But where the result of the concatenation is rounded in training, the
converter refuses (`We cannot duplicate the value since it's not constant`), so the rewrites in `rewrites/recurrent`
separate the scales.
"""

from __future__ import annotations

from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.custom_layers import Slice

_KEEPS_SCALE = (layers.Dropout, layers.Flatten, layers.Permute, layers.RepeatVector, layers.Reshape, Slice)


def is_lstm_operator(layer: layers.Layer) -> bool:
    """Whether the converter makes TFLite's LSTM operator of a layer, which has an integer kernel."""
    return type(layer) is layers.LSTM and not layer.unroll and bool(layer._could_use_gpu_kernel)


def concatenates_lstms(layer: layers.Layer) -> bool:
    """Whether a layer is a Bidirectional that concatenates the results of two LSTM operators."""
    return (
        type(layer) is layers.Bidirectional
        and layer.merge_mode == "concat"
        and not layer.return_state
        and not layer.stateful
        and is_lstm_operator(layer.forward_layer)
        and is_lstm_operator(layer.backward_layer)
    )


def lstm_operands(graph: Graph, name: str) -> tuple[str, ...]:
    """Producers of a Concatenate whose results have the scale of an LSTM operator; none for any other layer."""
    if type(graph.layers[name]) is not layers.Concatenate:
        return ()
    return tuple(producer for producer in graph.producers(name) if _has_scale_of_lstm(graph, producer))


def _has_scale_of_lstm(graph: Graph, name: str) -> bool:
    while isinstance(graph.layers[name], _KEEPS_SCALE) and not graph.is_shared(name):
        (name,) = graph.producers(name)
    return is_lstm_operator(graph.layers[name])
