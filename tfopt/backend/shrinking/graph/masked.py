"""A model of which some units are silent: the same tensors, the outputs of the model without them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state
from tfopt.backend.shrinking.graph.blocks import named_branches, tensors_of
from tfopt.backend.shrinking.graph.factorize import factorizations, nearest
from tfopt.backend.shrinking.graph.groups import along_its_axis, removed_labels
from tfopt.backend.shrinking.graph.masked_layers import MASKED, BranchGate, masked_form
from tfopt.backend.shrinking.graph.remove import split_kept
from tfopt.backend.shrinking.graph.replay import Replay
from tfopt.backend.shrinking.graph.trace import traced
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.types import Array, Nested


def masked(model: tf_keras.Model, kept: Kept) -> tf_keras.Model:
    """A copy of the model in which the units that are not kept have no effect, at full size.

    See `remove`, whose model has the same outputs.
    """
    twin = MaskedTwin(model)
    twin.apply(kept)
    return twin.model


class MaskedTwin:
    """A copy of a model whose units can be silenced and brought back without building anything.

    Weights of silent units are zero; normalizations over channels have their statistics over the others; residual
    branches are multiplied by 0 or 1.

    Args:
        model: functional, or a built Sequential.

    Attributes:
        model: the copy, with the layers and names of the original, and a gate behind each residual branch.
    """

    def __init__(self, model: tf_keras.Model) -> None:
        self._original = model
        self._trace = traced(model)
        self._branches = named_branches(model)
        self._gates: dict[str, BranchGate] = {
            name: BranchGate(name=f"{branch.node.layer.name}_gate") for name, branch in self._branches.items()
        }
        by_node = {id(branch.node): (branch, self._gates[name]) for name, branch in self._branches.items()}
        olds: dict[int, tf_keras.layers.Layer] = {}

        def new_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            olds[id(layer)] = layer
            return masked_form(layer) or copy_layer(layer, layer.name)

        def call(
            node: Node, layer: tf_keras.layers.Layer, args: tuple[Nested, ...], kwargs: dict[str, Nested]
        ) -> Nested:
            if id(node) not in by_node:
                return layer(*args, **kwargs)
            branch, gate = by_node[id(node)]
            end = tensors_of(args, kwargs)[1 - branch.kept]
            gated = gate(end)
            args, kwargs = tf.nest.map_structure(lambda value: gated if value is end else value, (args, kwargs))
            return layer(*args, **kwargs)

        replay = Replay(new_layer, call)
        self.model = replay.model(model)
        self._layers = {
            self._trace.paths.get(key, layer.name): (layer, replay.layers[key]) for key, layer in olds.items()
        }
        for layer, copy in self._layers.values():
            if layer.weights:
                copy_state(layer, copy, [*layer.get_weights(), *self._extra(layer, copy)])

    def apply(self, kept: Kept) -> None:
        """Silences all units that are not kept; the others have the weights of the original model.

        Raises:
            ValueError: as of `remove`.
        """
        units, left_out = split_kept(self._original, kept)
        gone = removed_labels(self._trace, units)
        for name, gate in self._gates.items():
            gate.open.assign(0.0 if name in left_out else 1.0)
        masked_weights = self._masked_weights(gone)
        for path, chosen in factorizations(kept).items():
            masked_weights[path][0] = nearest(masked_weights[path][0], chosen.form, chosen.rank)
        for path, values in masked_weights.items():
            layer, copy = self._layers[path]
            if isinstance(copy, tuple(MASKED.values())):
                axis, labels = along_its_axis(self._trace, self._trace.outputs[id(layer)][0])
                copy.kept.assign((~gone[labels]).astype(np.float32) if axis is not None else np.ones(copy.kept.shape))
            for variable, value in zip(copy.weights, values, strict=False):
                variable.assign(value)

    def masks(self, kept: Kept) -> list[tuple[tf.Variable, Array]]:
        """Each weight of `model` that has silent units, with the mask of 0 and 1 that it is multiplied by.

        For training the twin: after each step, multiply again.
        """
        gone = removed_labels(self._trace, split_kept(self._original, kept)[0])
        found: dict[tuple[str, int], Array] = {}
        for use in self._trace.uses:
            axis, labels = along_its_axis(self._trace, use.labels)
            if axis is None or not gone[labels].any():
                continue
            variable = self._layers[use.layer][1].weights[use.weight]
            shape = [1] * len(variable.shape)
            shape[axis] = len(labels)
            mask = (~gone[labels]).astype(np.float32).reshape(shape)
            key = (use.layer, use.weight)
            found[key] = found.get(key, np.ones(variable.shape, np.float32)) * mask
        return [(self._layers[path][1].weights[index], mask) for (path, index), mask in found.items()]

    def _masked_weights(self, gone: Array) -> dict[str, list[Array]]:
        values = {path: layer.get_weights() for path, (layer, _) in self._layers.items() if layer.weights}
        for use in self._trace.uses:
            axis, labels = along_its_axis(self._trace, use.labels)
            if axis is None or not gone[labels].any():
                continue
            value = values[use.layer][use.weight]
            shape = [1] * value.ndim
            shape[axis] = len(labels)
            values[use.layer][use.weight] = value * (~gone[labels]).reshape(shape).astype(value.dtype)
        return values

    @staticmethod
    def _extra(layer: tf_keras.layers.Layer, copy: tf_keras.layers.Layer) -> list[Array]:
        return [np.ones(variable.shape, np.float32) for variable in copy.weights[len(layer.weights) :]]
