"""Residual branches that can be left out: a sum whose one term is what the branch of the other begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import KerasTensor, Node
from tfopt.backend.graph.layers import layer_paths, nodes
from tfopt.backend.shrinking.graph.closed import is_closed
from tfopt.backend.shrinking.graph.types import Kind, ShrinkGroup
from tfopt.backend.types import Nested


@dataclass(frozen=True)
class Branch:
    """A residual branch.

    Args:
        node: the sum.
        kept: index among its inputs of what stays when the branch is removed.
        nodes: the calls of the branch.
    """

    node: Node
    kept: int
    nodes: tuple[Node, ...]


def branches(model: tf_keras.Model) -> Iterator[Branch]:
    """The removable residual branches of one model, without those of models nested in it."""
    every = list(nodes(model))
    ends = {id(node) for node in every for tensor in tf.nest.flatten(node.outputs) if _is_output(model, tensor)}
    consumers: dict[int, list[Node]] = {id(node): [] for node in every}
    for node in every:
        for parent in node.parent_nodes:
            consumers.get(id(parent), []).append(node)
    for node in every:
        if not _is_sum(node.layer) or len(node.keras_inputs) != 2:
            continue
        for kept in (0, 1):
            start, end = node.keras_inputs[kept], node.keras_inputs[1 - kept]
            inside = _between(every, start, end)
            if not inside or tuple(start.shape) != tuple(end.shape):
                continue
            own = {id(one) for one in inside}
            closed = all(id(consumer) in own or consumer is node for one in inside for consumer in consumers[id(one)])
            if closed and not own & ends and any(one.layer.weights for one in inside):
                yield Branch(node, kept, tuple(inside))
                break


def named_branches(model: tf_keras.Model, prefix: str = "") -> dict[str, Branch]:
    """The removable residual branches by path of the layer of the sum; nested models are looked into."""
    found = {f"{prefix}{branch.node.layer.name}": branch for branch in branches(model)}
    for layer in dict.fromkeys(model.layers):
        if isinstance(layer, tf_keras.Model) and not is_closed(layer):
            found |= named_branches(layer, f"{prefix}{layer.name}/")
    return found


def blocks_of(model: tf_keras.Model) -> Iterator[ShrinkGroup]:
    """A group for each residual branch, named after the layer of its sum."""
    for path, branch in named_branches(model).items():
        prefix = path.removesuffix(branch.node.layer.name)
        inside = [node.layer for node in branch.nodes]
        sequence = len(branch.node.outputs.shape) == 3 and not any(hasattr(layer, "kernel_size") for layer in inside)
        kind: Kind = "layer" if sequence else "block"
        leaves = dict(pair for layer in dict.fromkeys(inside) for pair in _leaves(layer, prefix))
        frozen = next((name for name, layer in leaves.items() if layer.weights and not layer.trainable), None)
        reason = f"the layer '{frozen}' is frozen" if frozen else None
        yield ShrinkGroup(path, kind, 1, 1, (), (), reason, tuple(leaves))


def _leaves(layer: tf_keras.layers.Layer, prefix: str) -> Iterator[tuple[str, tf_keras.layers.Layer]]:
    """Path and layer of a layer; of a nested model, those of the layers inside of it."""
    path = f"{prefix}{layer.name}"
    if isinstance(layer, tf_keras.Model):
        yield from (one for one in layer_paths(layer, f"{path}/") if not isinstance(one[1], layers.InputLayer))
    else:
        yield path, layer


def tensors_of(args: tuple[Nested, ...], kwargs: dict[str, Nested]) -> list[KerasTensor]:
    """The tensors among the arguments of a sum: an operator of a model that was read from a file has one by name."""
    return [value for value in tf.nest.flatten((args, kwargs)) if isinstance(value, KerasTensor)]


def _between(every: Sequence[Node], start: tf.Tensor, end: tf.Tensor) -> list[Node]:
    """The calls on the ways from one tensor to another, in the order of the graph."""
    behind = {id(start.node)}
    for node in every:
        if any(id(parent) in behind for parent in node.parent_nodes):
            behind.add(id(node))
    before = {id(end.node)}
    for node in reversed(every):
        if id(node) in before:
            before |= {id(parent) for parent in node.parent_nodes}
    return [node for node in every if id(node) in behind & before and node is not start.node]


def _is_sum(layer: tf_keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Add) or getattr(layer, "symbol", None) in ("__operators__.add", "math.add")


def _is_output(model: tf_keras.Model, tensor: tf.Tensor) -> bool:
    return any(tensor is output for output in tf.nest.flatten(model.outputs))
