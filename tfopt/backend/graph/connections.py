"""Which layers feed which in a Keras model."""

from __future__ import annotations

import inspect
from collections import Counter, defaultdict

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.graph.layers import nodes
from tfopt.errors import StageError


class Graph:
    """The layers of a functional or built sequential model, by name, and their connections.

    Args:
        model: a model whose layers are connected when it is built; nested models count as one layer.

    Raises:
        StageError: the model is subclassed, or not built: its layers cannot be seen.
    """

    def __init__(self, model: tf_keras.Model) -> None:
        if not getattr(model, "_is_graph_network", False):
            raise StageError(
                f"The model {model.name!r} ({type(model).__name__}) cannot be quantized: the connections of its layers "
                "are not known before it runs. Expected a functional model, or a built Sequential.",
                "Build it with tf_keras.Input and tf_keras.Model(inputs, outputs).",
                code="invalid_model",
            )
        self.model = model
        self._calls: Counter[str] = Counter()
        self._producers: dict[str, list[str]] = defaultdict(list)
        self._consumers: dict[str, list[str]] = defaultdict(list)
        self.layers: dict[str, tf_keras.layers.Layer] = {}
        self._masked: set[str] = set()
        for node in nodes(model):
            name = node.layer.name
            self.layers[name] = node.layer
            self._calls[name] += 1
            if any(_has_mask(tensor) for tensor in (*node.keras_inputs, *tf.nest.flatten(node.outputs))):
                self._masked.add(name)
            for parent in node.parent_nodes:
                self._producers[name].append(parent.layer.name)
                self._consumers[parent.layer.name].append(name)
        self._outputs = {tensor._keras_history.layer.name for tensor in tf.nest.flatten(model.outputs)}

    def is_shared(self, name: str) -> bool:
        """Whether the layer is called more than once."""
        return self._calls[name] > 1

    def is_masked(self, name: str) -> bool:
        """Whether the layer receives or returns a mask, such as that of padding."""
        return name in self._masked

    def num_calls(self, name: str) -> int:
        """How often the layer is called."""
        return self._calls[name]

    def is_output(self, name: str) -> bool:
        """Whether the output of the layer is an output of the model."""
        return name in self._outputs

    def consumers(self, name: str) -> tuple[str, ...]:
        """Names of the layers that a layer feeds, once for each use."""
        return tuple(self._consumers[name])

    def producers(self, name: str) -> tuple[str, ...]:
        """Names of the layers that feed a layer."""
        return tuple(self._producers[name])

    def only_consumer(self, name: str) -> str | None:
        """The one layer that sees the result of a layer; None if there are more, or if it is a result of the model."""
        consumers = self._consumers[name]
        alone = len(consumers) == 1 and name not in self._outputs and not self.is_shared(name)
        return consumers[0] if alone and not self.is_shared(consumers[0]) else None

    def sees_integers(self, name: str) -> bool:
        """Whether a layer is an input of integers, strings or booleans."""
        layer = self.layers[name]
        return isinstance(layer, layers.InputLayer) and not tf.as_dtype(layer.dtype).is_floating


def _has_mask(tensor: tf.Tensor) -> bool:
    return getattr(tensor, "_keras_mask", None) is not None


def function_name(layer: tf_keras.layers.Layer) -> str:
    """Name of a layer's activation function; `linear` if it has none; of one of the user's own, with its module."""
    function = getattr(layer, "activation", None)
    if function is None:
        return "linear"
    name: str = getattr(function, "__name__", type(function).__name__)
    own = inspect.isfunction(function) and function.__module__.split(".")[0] not in _LIBRARIES
    return f"{function.__module__}.{name}" if own else name


_LIBRARIES = ("keras", "tensorflow", "tf_keras", "tfopt")
