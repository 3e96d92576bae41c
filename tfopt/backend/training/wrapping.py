"""Putting wrappers around layers for the time of a stage, and leaving no trace of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import tf_keras

from tfopt.backend.compat.keras_losses import regularize_as
from tfopt.errors import StageError

Wrapper = TypeVar("Wrapper", bound=tf_keras.layers.Layer)


@contextmanager
def wrapped(
    model: tf_keras.Model, wrap: Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer], kind: type[Wrapper]
) -> Iterator[tuple[tf_keras.Model, list[Wrapper]]]:
    """A second model over the same layers, some of them inside wrappers.

    The layers, and so the weights, are shared: training the wrapped model trains `model`, and nothing has to be
    stripped or copied back. On leaving, the connections that the second model made are taken out of the layers again,
    so that `layer.output` is what it was.

    Args:
        model: functional or Sequential, possibly with nested models.
        wrap: returns a layer's wrapper, or the layer itself.
        kind: class of the wrappers.

    Yields:
        The wrapped model, and the wrappers in the order of the model.

    Raises:
        StageError: the model is a subclass of `tf_keras.Model` with a `call` of its own.
    """
    everything = [model, *(module for module in model.submodules if isinstance(module, tf_keras.layers.Layer))]
    nodes = [(layer, list(layer._inbound_nodes), list(layer._outbound_nodes)) for layer in everything]
    wrappers: dict[int, tf_keras.layers.Layer] = {}

    def clone(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if isinstance(layer, tf_keras.Model):
            return _clone(layer, clone)
        if id(layer) not in wrappers:
            wrappers[id(layer)] = wrapper = wrap(layer)
            if wrapper is not layer:
                regularize_as(wrapper, layer)
        return wrappers[id(layer)]

    try:
        yield _clone(model, clone), [one for one in wrappers.values() if isinstance(one, kind)]
    finally:
        for layer, inbound, outbound in nodes:
            layer._inbound_nodes[:], layer._outbound_nodes[:] = inbound, outbound


def _clone(model: tf_keras.Model, clone: Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer]) -> tf_keras.Model:
    if not (isinstance(model, tf_keras.Sequential) or model._is_graph_network):
        raise StageError(
            f"model {model.name!r} is a subclass of Model with its own call(); its layers cannot be wrapped.",
            "Build it with the functional interface: tf_keras.Model(inputs, model.call(inputs)).",
            code="invalid_model",
        )
    return tf_keras.models.clone_model(model, clone_function=clone)
