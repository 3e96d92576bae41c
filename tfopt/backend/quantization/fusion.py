"""Where the roundings go: which layers become one operator in the file, and so are rounded once, at its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tf_keras import layers

from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.quantization.canonical.batch_norm import TAKES_BATCH_NORMALIZATION, folds_into
from tfopt.backend.quantization.float_fallback import shares_float_scale

_TAKES_RELU = (*TAKES_BATCH_NORMALIZATION, layers.Add)
"""Conv2DTranspose is not among them: the converter leaves TRANSPOSE_CONV and RELU as two operators."""


@dataclass(frozen=True)
class FusedPosition:
    """A layer's place in its operator.

    Args:
        head: the layer that the operator begins with: the layer itself if it stands alone.
        output: whether the operator's result is rounded at this layer.
    """

    head: str
    output: bool


def place(graph: Graph, annotated: Collection[str]) -> dict[str, FusedPosition]:
    """Finds the place of every annotated layer.

    A linear kernel followed by batch normalization and/or ReLU is one operator, as is Add followed by ReLU. A layer
    seen only by a Concatenate is rounded there, since the operands of that operator share one scale.

    tfmot's own transforms do this by rewriting: `LayerReLUQuantize` replaces the whole config of a kernel's layer in
    front of a ReLU layer, so that 0 of its weights are rounded in training and a pruned kernel goes from a sparsity
    of 0.75 to 0.02; `ConcatTransform` replaces it by tfmot's default config, with the same loss. Here the kernel
    keeps its config.
    """
    followers = {name: _followers(graph, name, annotated) for name in annotated}
    members = {follower for names in followers.values() for follower in names}
    places: dict[str, FusedPosition] = {}
    for head in annotated:
        if head not in members:
            chain = (head, *followers[head])
            places |= {name: FusedPosition(head, output=name == chain[-1]) for name in chain}
    for name in _rounded_elsewhere(graph, places):
        places[name] = FusedPosition(places[name].head, output=False)
    return places


def _followers(graph: Graph, head: str, annotated: Collection[str]) -> tuple[str, ...]:
    found: list[str] = []
    layer = graph.layers[head]
    if type(layer) not in _TAKES_RELU or function_name(layer) != "linear":
        return ()
    consumer = graph.only_consumer(head)
    if consumer in annotated and folds_into(graph, consumer) == head:
        found.append(consumer)
        consumer = graph.only_consumer(consumer)
    if consumer in annotated and _is_fusable_relu(graph.layers[consumer]):
        found.append(consumer)
    return tuple(found)


def _rounded_elsewhere(graph: Graph, places: Collection[str]) -> set[str]:
    found: set[str] = set()
    for name in places:
        producers = graph.producers(name)
        if shares_float_scale(graph, name):
            # The converter dies (RuntimeError without a text) where a float operator's result must have a given scale.
            found |= {name, *producers}
        elif type(graph.layers[name]) is layers.Concatenate:
            found |= {producer for producer in producers if graph.only_consumer(producer) == name}
    return found.intersection(places)


def _is_fusable_relu(layer: layers.Layer) -> bool:
    if type(layer) is layers.Activation:
        return function_name(layer) in ("relu", "relu6")
    return (
        type(layer) is layers.ReLU
        and float(layer.negative_slope) == 0
        and float(layer.threshold) == 0
        and (layer.max_value is None or float(layer.max_value) == 6)
    )
