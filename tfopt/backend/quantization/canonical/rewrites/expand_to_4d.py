"""Computing a layer on images: four axes, of which the first after the batch may be of size 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.rewrites.axes import InsertAxes, RemoveAxes
from tfopt.backend.quantization.canonical.weights import named, ordered

IMAGE_RANK = 4

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
"""Layers that do the same whatever the axes are called."""


def on_images(site: RewriteSite, inputs: Any, compute: Callable[[Any], Any], lower: bool = True) -> Any:
    """Calls `compute` on the inputs as images, and takes the added axes away from its result.

    Args:
        site: the layer that is rewritten.
        inputs: a tensor of two to four axes.
        compute: takes and gives images.
        lower: False if `compute` has taken the axes away.
    """
    missing = IMAGE_RANK - inputs.shape.rank
    if not missing:
        return compute(inputs)
    image = site.make("image", lambda name: InsertAxes(missing, name=name))(inputs)
    result = compute(image)
    return site.make("flat", lambda name: RemoveAxes(missing, name=name))(result) if lower else result


class StaysOnImages(Rewrite):
    """Layers between two that are computed on images are too, so that nothing lies between a kernel and its ReLU."""

    title = ""

    def applies(self, site: RewriteSite) -> bool:
        return _moves(site.layer) and _lowered(site.graph, site.name) is not None

    def replace(self, site: RewriteSite, inputs: Any, **kwargs: Any) -> Any:
        layer = site.layer
        count = _lowered(site.graph, site.name)
        images = tf.nest.map_structure(_image, inputs)
        axis = {"axis": -1} if isinstance(layer, (layers.BatchNormalization, layers.Concatenate)) else {}
        config = {**layer.get_config(), **axis}
        made = site.make("", lambda name: type(layer).from_config({**config, "name": name}), named(layer))
        return site.make("flat", lambda name: RemoveAxes(count, name=name))(made(images, **kwargs))

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        return ordered(site.layer, weights[site.name])


class NoDetour(Rewrite):
    """Axes that are added where they were just dropped."""

    title = ""

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is InsertAxes and _lowered(site.graph, site.name) == site.layer.count

    def replace(self, site: RewriteSite, inputs: Any) -> Any:
        return _image(inputs)


def _moves(layer: Any) -> bool:
    """Whether a layer does the same to images as to what is made of them by dropping axes."""
    if type(layer) in (layers.BatchNormalization, layers.Concatenate):
        (axis,) = layer.axis if type(layer) is layers.BatchNormalization else (layer.axis,)
        return axis in (-1, len(layer.output_shape) - 1)
    return type(layer) in _ELEMENTWISE


def _lowered(graph: Graph, name: str) -> int | None:
    """How many axes were just dropped from all inputs of a layer; None if not the same number from each."""
    counts = set()
    for producer in graph.producers(name):
        layer = graph.layers[producer]
        if type(layer) is RemoveAxes:
            counts.add(layer.count)
        else:
            counts.add(_lowered(graph, producer) if _moves(layer) else None)
    return counts.pop() if len(counts) == 1 else None


def _image(tensor: Any) -> Any:
    """What a tensor was before its axes were dropped."""
    history = tensor._keras_history
    (image,) = history.layer._inbound_nodes[history.node_index].keras_inputs
    return image
