"""Which layers become one operator in the file; the operator is rounded once, at its last layer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tf_keras import layers

from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.quantization.canonical.batch_norm import TAKES_BATCH_NORMALIZATION, folds_into
from tfopt.backend.quantization.canonical.mask_layers import MaskedScores
from tfopt.backend.quantization.float_fallback import MOVE_VALUES, shares_float_scale, value_producers
from tfopt.backend.quantization.traced_floats import traced_floats

_TAKES_RELU = (*TAKES_BATCH_NORMALIZATION, layers.Add)
"""Conv2DTranspose is not among them: the converter leaves TRANSPOSE_CONV and RELU as two operators."""


@dataclass(frozen=True)
class FusedPosition:
    """The position of a layer in its operator.

    Args:
        head: the first layer of the operator; the layer itself if it is not fused.
        output: whether the operator's output is rounded at this layer.
    """

    head: str
    output: bool


def fused_positions(graph: Graph, annotated: Collection[str]) -> dict[str, FusedPosition]:
    """Finds the position of every annotated layer in its operator.

    A linear kernel followed by batch normalization and/or ReLU is one operator, as is Add followed by ReLU. A layer
    whose only consumer is a Concatenate is rounded there, since the operands of that operator share one scale; so are
    scores of attention where they are masked (see `_scores_to_mask`).

    tfmot's own transforms do this by rewriting: `LayerReLUQuantize` replaces the whole config of a kernel's layer in
    front of a ReLU layer, so that 0 of its weights are rounded in training and a pruned kernel goes from a sparsity
    of 0.75 to 0.02; `ConcatTransform` replaces it by tfmot's default config, with the same loss. Here the kernel
    keeps its config.
    """
    followers = {name: _followers(graph, name, annotated) for name in annotated}
    members = {follower for names in followers.values() for follower in names}
    positions: dict[str, FusedPosition] = {}
    for head in annotated:
        if head not in members:
            chain = (head, *followers[head])
            positions |= {name: FusedPosition(head, output=name == chain[-1]) for name in chain}
    for name in _rounded_by_consumer(graph, positions):
        positions[name] = FusedPosition(positions[name].head, output=False)
    return positions


def is_read_outside(graph: Graph, name: str, annotated: Collection[str]) -> bool:
    """Whether the model returns the result of a layer, or a layer that is not simulated reads it, maybe reshaped."""
    return graph.is_output(name) or any(
        consumer not in annotated
        or (isinstance(graph.layers[consumer], MOVE_VALUES) and is_read_outside(graph, consumer, annotated))
        for consumer in graph.consumers(name)
    )


def _followers(graph: Graph, head: str, annotated: Collection[str]) -> tuple[str, ...]:
    found: list[str] = []
    layer = graph.layers[head]
    if type(layer) not in _TAKES_RELU or function_name(layer) != "linear":
        return ()
    consumer = graph.only_consumer(head)
    if consumer is not None and consumer in annotated and folds_into(graph, consumer) == head:
        found.append(consumer)
        consumer = graph.only_consumer(consumer)
    if consumer is not None and consumer in annotated and _is_fusable_relu(graph.layers[consumer]):
        found.append(consumer)
    return tuple(found)


def _rounded_by_consumer(graph: Graph, names: Collection[str]) -> set[str]:
    """Layers whose output gets the scale of a consumer, or none."""
    found: set[str] = set()
    traced = traced_floats(graph.model)
    for name in names:
        producers = graph.producers(name)
        if shares_float_scale(graph, name, traced):
            # The converter fails (RuntimeError without a message) where a float operator's output is given a scale.
            found |= {name, *producers, *value_producers(graph, name)}
        elif type(graph.layers[name]) is layers.Concatenate:
            found |= {producer for producer in producers if graph.only_consumer(producer) == name}
        elif type(graph.layers[name]) is MaskedScores:
            found |= _scores_to_mask(graph, name)
    return found.intersection(names)


def _scores_to_mask(graph: Graph, name: str) -> set[str]:
    """The layer that computes the scores which a mask is applied to, and layers that only move them.

    With a scale of their own, a QUANTIZE turns them into the wider one of masked scores. XNNPACK multiplies there by a
    factor of 8 bits: up to an eighth of the scores are one step apart from exact rounding, and the weights after
    softmax up to 11 steps.
    """
    found: set[str] = set()
    consumer = name
    while (producer := graph.producers(consumer)[0]) and graph.only_consumer(producer) == consumer:
        found.add(producer)
        if not isinstance(graph.layers[producer], MOVE_VALUES):
            break
        consumer = producer
    return found


def _is_fusable_relu(layer: layers.Layer) -> bool:
    if type(layer) is layers.Activation:
        return function_name(layer) in ("relu", "relu6")
    return (
        type(layer) is layers.ReLU
        and float(layer.negative_slope) == 0
        and float(layer.threshold) == 0
        and (layer.max_value is None or float(layer.max_value) == 6)
    )
