"""Layers between two that are computed in four axes (see `expand_to_4d`): no axes are dropped and added there."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import call_of
from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.custom_layers import InsertAxes, RemoveAxes
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite, required
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array, Nested

_ELEMENTWISE = (
    layers.Activation,
    layers.ActivityRegularization,
    layers.Add,
    layers.Average,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.LeakyReLU,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.ReLU,
    layers.Rescaling,
    layers.Subtract,
)
"""Layers that compute each number from the numbers at the same position."""


class StayIn4D(Rewrite):
    """Layers between two that are computed in four axes are too: a kernel and its ReLU stay neighbours."""

    title = ""

    def applies(self, site: RewriteSite) -> bool:
        return _works_in_4d(site.layer) and _num_dropped_axes(site.graph, site.name) is not None

    def replace(self, site: RewriteSite, inputs: Nested, **kwargs: Nested) -> tf.Tensor:
        layer = site.layer
        count = required(_num_dropped_axes(site.graph, site.name))
        expanded = tf.nest.map_structure(_before_drop, inputs)
        axis = {"axis": -1} if isinstance(layer, (layers.BatchNormalization, layers.Concatenate)) else {}
        config = {**layer.get_config(), **axis}
        made = site.make("", lambda name: type(layer).from_config({**config, "name": name}), named(layer))
        return site.make("flat", lambda name: RemoveAxes(count, name=name))(made(expanded, **kwargs))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return ordered(site.layer, weights[site.name])


class RemoveRoundTrip(Rewrite):
    """Axes that are added right where they were dropped: neither is needed."""

    title = ""

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is InsertAxes and _num_dropped_axes(site.graph, site.name) == site.layer.count

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        return _before_drop(inputs)


def _works_in_4d(layer: layers.Layer) -> bool:
    """Whether a layer computes the same with added axes of size 1 as without them."""
    if type(layer) in (layers.BatchNormalization, layers.Concatenate):
        (axis,) = layer.axis if type(layer) is layers.BatchNormalization else (layer.axis,)
        return axis in (-1, len(layer.output_shape) - 1)
    return type(layer) in _ELEMENTWISE


def _num_dropped_axes(graph: Graph, name: str, behind: frozenset[str] = frozenset()) -> int | None:
    """Number of axes that were just dropped from all inputs of a layer; None if not the same number from each.

    Args:
        graph: of the model.
        name: of the layer.
        behind: layers that have led here; a layer that is called twice may feed itself.
    """
    if name in behind:
        return None
    counts: set[int | None] = set()
    for producer in graph.producers(name):
        layer = graph.layers[producer]
        if type(layer) is RemoveAxes:
            counts.add(layer.count)
        else:
            counts.add(_num_dropped_axes(graph, producer, behind | {name}) if _works_in_4d(layer) else None)
    return counts.pop() if len(counts) == 1 else None


def _before_drop(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor from which axes were dropped."""
    (before,) = call_of(tensor).keras_inputs
    return before
