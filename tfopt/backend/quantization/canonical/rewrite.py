"""What a rewrite is: one layer computed by others, with a way there and a way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.weights import leaf

Layer = TypeVar("Layer", bound=tf_keras.layers.Layer)


class RewriteSite:
    """A layer of a flat model with all its calls: what a rewrite looks at, and where its new layers come from.

    Args:
        graph: the model's connections.
        layer: the layer; it is built.
        nodes: its calls within the model.
        taken: names that no new layer may have; grows.
    """

    def __init__(self, graph: Graph, layer: Any, nodes: Sequence[Any], taken: set[str]) -> None:
        self.graph = graph
        self.layer = layer
        self.nodes = nodes
        self.made: dict[str, tf_keras.layers.Layer] = {}
        self._taken = taken
        self._names: dict[str, str] = {}
        self._weights: dict[str, Sequence[np.ndarray]] = {}

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.layer.name

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The tensors that enter the layer, over all its calls."""
        return tuple(tensor for node in self.nodes for tensor in node.keras_inputs)

    @property
    def outputs(self) -> tuple[Any, ...]:
        """The tensors that leave the layer, over all its calls."""
        return tuple(tensor for node in self.nodes for tensor in tf.nest.flatten(node.outputs))

    @property
    def ranks(self) -> frozenset[int | None]:
        """Number of axes of the tensors that enter the layer, the batch included."""
        return frozenset(tensor.shape.rank for tensor in self.inputs)

    @property
    def is_masked(self) -> bool:
        """Whether a Keras mask enters the layer: what is put in its place might lose it."""
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
        self, suffix: str, build: Callable[[str], Layer], weights: Mapping[str, np.ndarray] | None = None
    ) -> Layer:
        """A new layer for the original one, made once however often the original is called.

        Args:
            suffix: tells the new layers of one original apart; empty for the one with the main kernel.
            build: makes the layer, given its name.
            weights: its weights by their names within the layer, such as `kernel`; set once it is built.
        """
        name = self.named(suffix)
        if name not in self.made:
            self.made[name] = build(name)
            self._weights[name] = weights or {}
        return self.made[name]

    def set_weights(self) -> None:
        """Gives the new layers their weights, and freezes them where the original is frozen."""
        for name, layer in self.made.items():
            for variable in layer.weights:
                variable.assign(self._weights[name][leaf(variable)])
            if not self.layer.trainable:
                layer.trainable = False


class Rewrite(ABC):
    """One kind of layer computed by others. Outputs never change; subclasses hold no state."""

    title: str
    """What is done, for the plan: `Conv1D computed as Conv2D`. Empty for what no user needs to know."""

    @abstractmethod
    def applies(self, site: RewriteSite) -> bool:
        """Whether the layer is rewritten at all its calls; not asked where a Keras mask enters."""

    @abstractmethod
    def replace(self, site: RewriteSite, *args: Any, **kwargs: Any) -> Any:
        """Computes one call with layers from `site.make`.

        Args:
            site: the layer.
            args: what the layer is called with.
            kwargs: likewise.

        Returns:
            What the layer would return, in the same structure.
        """

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        """Weights of the original layer, computed from those of the new ones after training.

        Args:
            site: the layer, with its weights from before training.
            weights: by name of the new layer (`site.named`), then by name within it.

        Returns:
            In the order of `site.layer.weights`. Not called for a layer without weights.
        """
        raise NotImplementedError(f"{type(self).__name__} rewrites a layer with weights and has no way back")
