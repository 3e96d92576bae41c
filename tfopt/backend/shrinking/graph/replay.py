"""A model made again call by call, with other layers: nested models too, all under their names."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.opened_layer import OwnLayer
from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical.copying import readable
from tfopt.backend.types import Nested

MakeLayer = Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer]
"""The new layer of a layer that is not a model."""
MakeCall = Callable[[Node, tf_keras.layers.Layer, tuple[Nested, ...], dict[str, Nested]], Nested]
"""Calls a new layer: gets the old call, the new layer and the new arguments; returns the new outputs."""


def call_plainly(
    node: Node, layer: tf_keras.layers.Layer, args: tuple[Nested, ...], kwargs: dict[str, Nested]
) -> Nested:
    """Calls the new layer as the old one was called."""
    return layer(*args, **kwargs)


class Replay:
    """Makes a model again.

    Args:
        make_layer: called once for each layer that is not a model.
        make_call: called for each call in the graph.
        is_touched: whether anything changes in a nested model; a layer of a user's own class that was opened stays one
            where nothing does.
    """

    def __init__(
        self,
        make_layer: MakeLayer,
        make_call: MakeCall = call_plainly,
        is_touched: Callable[[tf_keras.Model], bool] = lambda model: True,
    ) -> None:
        self.layers: dict[int, tf_keras.layers.Layer] = {}
        self._make_layer = make_layer
        self._make_call = make_call
        self._is_touched = is_touched

    def model(self, model: tf_keras.Model) -> tf_keras.Model:
        """The new model of a functional or built sequential one: functional, with the same structure."""
        with readable(model):
            return self._model(model)

    def _layer(self, layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if id(layer) not in self.layers:
            self.layers[id(layer)] = self._made(layer)
        return self.layers[id(layer)]

    def _made(self, layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if isinstance(layer, OwnLayer) and not self._is_touched(layer):
            same = OwnLayer.from_config(layer.get_config())
            same.set_weights(layer.get_weights())
            return same
        return self._model(layer) if isinstance(layer, tf_keras.Model) else self._make_layer(layer)

    def _model(self, model: tf_keras.Model) -> tf_keras.Model:
        tensors: dict[int, tf.Tensor] = {}
        for node in nodes(model):
            if node.is_input:
                results = self._layer(node.layer).output
            else:
                old = (node.call_args, node.call_kwargs)
                args, kwargs = tf.nest.map_structure(lambda value: tensors.get(id(value), value), old)
                results = self._make_call(node, self._layer(node.layer), tuple(args), dict(kwargs))
            for before, after in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(results), strict=True):
                tensors[id(before)] = after

        def new(structure: Nested) -> Nested:
            return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], structure)

        made = tf_keras.Model(new(model._nested_inputs), new(model._nested_outputs), name=model.name)
        made._trainable = model._trainable
        return made
