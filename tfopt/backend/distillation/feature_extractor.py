"""Reading the outputs of layers inside a model, also of one whose layers stand in tfmot's wrappers."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import all_layers, nodes
from tfopt.backend.layers import GroupedQueryAttention
from tfopt.core.config.distillation import LayerPair


class NoSuchLayer(Exception):
    """A model has no such layer, or calls it more than once. The text continues the layer's name."""


def feature_extractor(model: tf_keras.Model, pairs: list[tuple[LayerPair, str]]) -> tf_keras.Model:
    """A model over the same layers that returns, after its outputs, the outputs of those that are compared.

    Args:
        model: functional or Sequential, possibly wrapped.
        pairs: what is compared, with the name of this model's layer.

    Raises:
        NoSuchLayer: a layer is missing.
    """
    return tf_keras.Model(model.inputs, [*model.outputs, *(output_of(model, name, pair) for pair, name in pairs)])


def output_of(model: tf_keras.Model, name: str, pair: LayerPair) -> tf.Tensor:
    """The output of a layer in a model; of several, the one that the pair's loss is about.

    Raises:
        NoSuchLayer: there is no such layer at the top of the model, or it is called more than once.
    """
    layer = _find(model, name)
    network = {id(node) for node in nodes(model)}
    # A layer that is shared with another model has nodes of that one too.
    calls = [node for node in layer._inbound_nodes if id(node) in network]
    if len(calls) != 1:
        raise NoSuchLayer(f"is called {len(calls)} times in the model {model.name!r}; expected a layer called once")
    tensors = calls[0].outputs
    tensors = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    if pair.kind == "attention_maps":
        return _attention_map(model, layer, calls[0], tensors)
    return tensors[0]


def _attention_map(
    model: tf_keras.Model, layer: tf_keras.layers.Layer, call: Node, tensors: list[tf.Tensor]
) -> tf.Tensor:
    """The map of attention, also where it is called without returning it; the output where there is none to be had.

    In a model that simulates 8 bits, attention is several layers, one of which is its softmax.
    """
    attention = getattr(layer, "layer", layer)
    if isinstance(attention, tf_keras.layers.MultiHeadAttention | GroupedQueryAttention) and len(tensors) == 1:
        kwargs = {name: value for name, value in call.call_kwargs.items() if name != "training"}
        return attention(*call.call_args, **{**kwargs, "return_attention_scores": True})[1]
    softmax = f"{attention.name}_softmax"
    if any(softmax in (one.name, getattr(getattr(one, "layer", None), "name", None)) for one in model.layers):
        return _find(model, softmax).output
    return next((tensor for tensor in tensors if len(tensor.shape) == 4), tensors[0])


def _find(model: tf_keras.Model, name: str) -> tf_keras.layers.Layer:
    layers = {layer.name: layer for layer in model.layers}
    if name in layers:
        return layers[name]
    inside = [layer for layer in model.layers if getattr(getattr(layer, "layer", None), "name", None) == name]
    if len(inside) == 1:
        return inside[0]
    nested = [
        layer.name
        for layer in model.layers
        if isinstance(layer, tf_keras.Model) and any(one.name == name for one in all_layers(layer, include_self=True))
    ]
    if nested:
        raise NoSuchLayer(f"is inside the nested model {nested[0]!r}, whose layers cannot be read; name {nested[0]!r}")
    raise NoSuchLayer(f"is no layer of the model {model.name!r}. Its layers: {', '.join(layers)}")
