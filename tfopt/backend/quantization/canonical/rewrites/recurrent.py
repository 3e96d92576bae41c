"""Results of LSTMs that are concatenated, given a scale of their own.

TFLite's int8 LSTM writes its result in the scale of its state, which is calibrated; CONCATENATION takes one scale for
all operands, and the converter writes that one on the LSTM's result without telling the state: the numbers are right
but for a factor. Of a Bidirectional they were off by 10 % of the output range (untrained, by 63 %), and where the
result of the concatenation is rounded in training, the converter refuses (`We cannot duplicate the value since it's not
constant`). A product with 1 between the two, which is a 1x1 DepthwiseConv2D in the file, lets both keep their scale;
LeakyReLU with a slope of 1 does not, since the converter leaves it out (TF 2.21).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tf_keras
from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.rewrites.affine import can_be_affine
from tfopt.backend.quantization.canonical.rewrites.slicing import Slice
from tfopt.backend.quantization.canonical.weights import named

_DIRECTIONS = ("forward", "backward")
_KEEPS_SCALE = (layers.Dropout, layers.Flatten, layers.Permute, layers.RepeatVector, layers.Reshape, Slice)


def is_fused(layer: Any) -> bool:
    """Whether the converter makes TFLite's LSTM operator of a layer, which has an integer kernel."""
    return type(layer) is layers.LSTM and not layer.unroll and bool(layer._could_use_gpu_kernel)


def sharing_scales(model: tf_keras.Model) -> tuple[str, ...]:
    """The layers in which an int8 file of the model as it is joins results of LSTMs, and so gets them wrong."""
    graph = Graph(model)
    inside = (layer.name for layer in leaf_layers(model) if _joins_lstms(layer))
    return (*inside, *(name for name in graph.layers if _lstm_operands(graph, name)))


class BidirectionalLSTM(Rewrite):
    title = "computed as two LSTMs and Concatenate"

    def applies(self, site: RewriteSite) -> bool:
        return _joins_lstms(site.layer) and not any(_is_special(node) for node in site.nodes)

    def replace(self, site: RewriteSite, inputs: Any, **kwargs: Any) -> Any:
        forward, backward = (_direction(site, name)(inputs) for name in _DIRECTIONS)
        if site.layer.return_sequences:
            backward = site.make("turned", lambda name: Slice([(None, None, -1), (None, None, None)], name=name))(
                backward
            )
        return site.make("", lambda name: layers.Concatenate(name=name))([forward, backward])

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        values = {
            id(variable): value
            for name in _DIRECTIONS
            for variable, value in zip(
                _inner(site, name).weights,
                (weights[site.named(name)][part] for part in named(_inner(site, name))),
                strict=True,
            )
        }
        return [values[id(variable)] for variable in site.layer.weights]


class ConcatenatedLSTMs(Rewrite):
    title = "results of LSTMs with scales of their own"

    def applies(self, site: RewriteSite) -> bool:
        return len(site.nodes) == 1 and can_be_affine(site) and bool(_lstm_operands(site.graph, site.name))

    def replace(self, site: RewriteSite, inputs: Any) -> Any:
        of_lstms = _lstm_operands(site.graph, site.name)
        operands = [
            site.make(f"scale{number}", lambda name: layers.Rescaling(1.0, name=name))(tensor)
            if tensor.node.layer.name in of_lstms
            else tensor
            for number, tensor in enumerate(inputs)
        ]
        return site.make("", lambda name: layers.Concatenate(site.layer.axis, name=name))(operands)


def _joins_lstms(layer: Any) -> bool:
    return (
        type(layer) is layers.Bidirectional
        and layer.merge_mode == "concat"
        and not layer.return_state
        and not layer.stateful
        and is_fused(layer.forward_layer)
        and is_fused(layer.backward_layer)
    )


def _lstm_operands(graph: Graph, name: str) -> tuple[str, ...]:
    """Producers of a Concatenate that have the scale of an LSTM's result."""
    if type(graph.layers[name]) is not layers.Concatenate:
        return ()
    return tuple(producer for producer in graph.producers(name) if _has_scale_of_lstm(graph, producer))


def _has_scale_of_lstm(graph: Graph, name: str) -> bool:
    while isinstance(graph.layers[name], _KEEPS_SCALE) and not graph.is_shared(name):
        (name,) = graph.producers(name)
    return is_fused(graph.layers[name])


def _inner(site: RewriteSite, direction: str) -> Any:
    return getattr(site.layer, f"{direction}_layer")


def _direction(site: RewriteSite, direction: str) -> Any:
    inner = _inner(site, direction)
    return site.make(direction, lambda name: copy_layer(inner, name), named(inner))


def _is_special(node: Any) -> bool:
    """Whether a call gives a state to begin with, or says that it is always training."""
    return len(node.keras_inputs) != 1 or any(value not in (None, False) for value in node.call_kwargs.values())
