"""The interface of a rewrite: one layer computed by other layers, with a way there and a way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.weights import NamedWeights, leaf
from tfopt.backend.types import Array, Nested

T = TypeVar("T")


class RewriteSite:
    """A layer of a flat model with all its calls; makes the new layers that replace it.

    Args:
        graph: the model's connections.
        layer: the layer; it is built.
        nodes: its calls within the model.
        taken: names that no new layer may have; the names of new layers are added.
    """

    def __init__(self, graph: Graph, layer: layers.Layer, nodes: Sequence[Node], taken: set[str]) -> None:
        self.graph = graph
        self.layer = layer
        self.nodes = nodes
        self.made: dict[str, layers.Layer] = {}
        self._taken = taken
        self._names: dict[str, str] = {}
        self._weights: dict[str, Mapping[str, Array]] = {}

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.layer.name

    @property
    def inputs(self) -> tuple[tf.Tensor, ...]:
        """The tensors that enter the layer, over all its calls."""
        return tuple(tensor for node in self.nodes for tensor in node.keras_inputs)

    @property
    def outputs(self) -> tuple[tf.Tensor, ...]:
        """The tensors that leave the layer, over all its calls."""
        return tuple(tensor for node in self.nodes for tensor in tf.nest.flatten(node.outputs))

    @property
    def ranks(self) -> frozenset[int | None]:
        """Number of axes of the tensors that enter the layer, the batch included."""
        return frozenset(tensor.shape.rank for tensor in self.inputs)

    @property
    def is_masked(self) -> bool:
        """Whether a Keras mask enters the layer: the new layers might lose it."""
        return any(getattr(tensor, "_keras_mask", None) is not None for tensor in self.inputs)

    def named(self, suffix: str = "") -> str:
        """Name of the new layer `suffix`: the name of the original for the main one, which has none."""
        if suffix not in self._names:
            name = f"{self.name}_{suffix}" if suffix else self.name
            while suffix and name in self._taken:
                name += "_"
            self._taken.add(name)
            self._names[suffix] = name
        return self._names[suffix]

    def make(
        self, suffix: str, build: Callable[[str], layers.Layer], weights: Mapping[str, Array] | None = None
    ) -> layers.Layer:
        """A new layer for the original one, made once however often the original is called.

        Args:
            suffix: distinguishes the new layers of one original; empty for the one with the main kernel.
            build: returns the layer of a given name.
            weights: its weights by their names within the layer, such as `kernel`; set once it is built.
        """
        name = self.named(suffix)
        if name not in self.made:
            self.made[name] = build(name)
            self._weights[name] = weights or {}
        return self.made[name]

    def keep(self, layer: layers.Layer) -> None:
        """Counts a copy of the original layer, which is given its weights, among the new layers."""
        self.made[layer.name] = layer

    def set_weights(self) -> None:
        """Sets the weights of the new layers, and freezes them where the original is frozen."""
        for name, layer in self.made.items():
            for variable in layer.weights if name in self._weights else ():  # else a copy, which has its weights
                variable.assign(self._weights[name][leaf(variable)])
            if not self.layer.trainable:
                layer.trainable = False


class Rewrite(ABC):
    """Computes a layer of one kind by other layers. Outputs never change; subclasses hold no state.

    Listed in `tfopt.backend.quantization.canonical.passes`.
    """

    title: str
    """The rewrite in a few words, for the plan: `Conv1D computed as Conv2D`. Empty if no user needs to see it."""

    @abstractmethod
    def applies(self, site: RewriteSite) -> bool:
        """Whether the layer is rewritten, which it is at all its calls; not called where a Keras mask enters."""

    @abstractmethod
    def replace(self, site: RewriteSite, *args: Any, **kwargs: Any) -> Nested:
        """Computes one call with layers from `site.make`.

        Args:
            site: the layer.
            args: arguments of the call.
            kwargs: keyword arguments of the call.

        Returns:
            The outputs of the layer, in the same structure.
        """

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        """Weights of the original layer, computed from those of the new ones after training.

        Args:
            site: the layer, with its weights from before training.
            weights: by name of the new layer (`site.named`), then by name within it.

        Returns:
            In the order of `site.layer.weights`. Not called for a layer without weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement restore(): the layer has weights")


def required(value: T | None) -> T:
    """A value that is None only for layers to which a rewrite does not apply, for use in `replace` and `restore`."""
    if value is None:
        raise ValueError("the rewrite does not apply to this layer")
    return value
