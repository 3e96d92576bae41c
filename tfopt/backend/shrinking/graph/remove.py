"""A model without some of its units: smaller tensors, the same layers under the same names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state
from tfopt.backend.shrinking.graph.blocks import Branch, named_branches, tensors_of
from tfopt.backend.shrinking.graph.call import Trace
from tfopt.backend.shrinking.graph.factorize import factorizations, factorized, is_rank
from tfopt.backend.shrinking.graph.groups import along_its_axis, removed_labels
from tfopt.backend.shrinking.graph.replay import Replay
from tfopt.backend.shrinking.graph.rules.operator_arguments import changed_arguments
from tfopt.backend.shrinking.graph.rules.rule import Resized
from tfopt.backend.shrinking.graph.rules.table import resized_layer
from tfopt.backend.shrinking.graph.trace import traced
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.types import Array, Nested, Shape


def remove(model: tf_keras.Model, kept: Kept) -> tf_keras.Model:
    """The model without the units and residual branches that are not kept; the model itself is not changed.

    Args:
        model: functional, or a built Sequential.
        kept: by names of groups of `groups_of(model)` and `rank_groups(model)`; a kernel is factorized after units were
            removed from it.

    Returns:
        A functional model with the same inputs and outputs; layers have their names, their weights are slices.

    Raises:
        ValueError: a name or an index is unknown, or nothing is left of a group.
    """
    ranks = factorizations(kept)
    units, left_out = split_kept(model, kept)
    trace = traced(model)
    cut = _Cut(trace, removed_labels(trace, units), {id(branch.node): branch for branch in left_out.values()})
    replay = Replay(cut.new_layer, cut.call, cut.touches)
    smaller = replay.model(model)
    cut.set_weights(replay)
    return factorized(smaller, ranks) if ranks else smaller


def split_kept(model: tf_keras.Model, kept: Kept) -> tuple[Kept, dict[str, Branch]]:
    """What is kept of groups of units, and the residual branches that are left out."""
    every = named_branches(model)
    left_out = {name: every[name] for name in kept if name in every and not len(kept[name])}
    return {name: kept[name] for name in kept if name not in every and not is_rank(name)}, left_out


class _Cut:
    """Makes layers and calls of the smaller model.

    Args:
        trace: of the model.
        gone: whether each label is removed.
        left_out: residual branches by identity of the call of their sum.
    """

    def __init__(self, trace: Trace, gone: Array, left_out: Mapping[int, Branch]) -> None:
        self._trace, self._gone, self._left_out = trace, gone, left_out
        self._stays: dict[str, dict[int, dict[int, Array]]] = defaultdict(lambda: defaultdict(dict))
        for use in trace.uses:
            axis, labels = along_its_axis(trace, use.labels)
            if axis is not None and gone[labels].any():
                self._stays[use.layer][use.weight][axis] = ~gone[labels]
        self._old: dict[int, tf_keras.layers.Layer] = {}

    def new_layer(self, layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        """The smaller layer, with weights still to be set."""
        self._old[id(layer)] = layer
        if isinstance(layer, tf_keras.layers.InputLayer):
            tensor = layer.output
            labels = self._trace.tensors[id(tensor)]
            return copy_layer(layer, layer.name, {"batch_input_shape": self._shape(labels, tuple(tensor.shape))})
        sizes = self._stays.get(self._trace.paths[id(layer)], {})

        def shape_of(variable: tf.Variable) -> tuple[int, ...]:
            index = next(index for index, weight in enumerate(layer.weights) if weight is variable)
            shape = list(variable.shape)
            for axis, stays in sizes.get(index, {}).items():
                shape[axis] = int(stays.sum())
            return tuple(shape)

        before = self._trace.shapes[id(layer)]
        after = [
            self._shape(labels, shape) for labels, shape in zip(self._trace.outputs[id(layer)], before, strict=True)
        ]
        return resized_layer(Resized(layer, shape_of, before, after))

    def call(
        self, node: Node, layer: tf_keras.layers.Layer, args: tuple[Nested, ...], kwargs: dict[str, Nested]
    ) -> Nested:
        """One call of the smaller model."""
        if id(node) in self._left_out:
            return tensors_of(args, kwargs)[self._left_out[id(node)].kept]
        outputs = tf.nest.flatten(node.outputs)
        shapes = [self._shape(self._trace.tensors[id(one)], tuple(one.shape)) for one in outputs]
        args, kwargs = changed_arguments(node, args, kwargs, shapes, self._stays_along)
        return layer(*args, **kwargs)

    def touches(self, model: tf_keras.Model) -> bool:
        """Whether a nested model has anything that changes."""
        for node in nodes(model):
            outputs = tf.nest.flatten(node.outputs)
            changed = any(
                self._shape(self._trace.tensors[id(one)], tuple(one.shape)) != tuple(one.shape) for one in outputs
            )
            own = self._stays.get(self._trace.paths.get(id(node.layer), ""))
            inside = isinstance(node.layer, tf_keras.Model) and self.touches(node.layer)
            if changed or own or inside or id(node) in self._left_out:
                return True
        return False

    def set_weights(self, replay: Replay) -> None:
        """Copies what stays of every weight."""
        for key, layer in self._old.items():
            if not layer.weights:
                continue
            sizes = self._stays.get(self._trace.paths[key], {})
            values = layer.get_weights()
            for index, axes in sizes.items():
                for axis, stays in axes.items():
                    values[index] = np.compress(stays, values[index], axis)
            copy_state(layer, replay.layers[key], values)

    def _stays_along(self, tensor: tf.Tensor, axis: int) -> Array | None:
        varying, labels = along_its_axis(self._trace, self._trace.tensors[id(tensor)])
        return ~self._gone[labels] if varying == axis else None

    def _shape(self, labels: Array, shape: Shape) -> Shape:
        axis, along = along_its_axis(self._trace, labels)
        if axis is None or axis == 0:
            return shape
        return (*shape[:axis], int((~self._gone[along]).sum()), *shape[axis + 1 :])
