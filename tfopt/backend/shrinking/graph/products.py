"""Layers without kernels that multiply tensors with each other: what they compute when units of these are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import nodes
from tfopt.backend.graph.macs import macs
from tfopt.backend.shrinking.graph.groups import Positions, along_its_axis, named_units
from tfopt.backend.shrinking.graph.trace import traced
from tfopt.backend.types import Shape


@dataclass(frozen=True)
class _Tensor:
    """An input or output of a call.

    Args:
        shape: with the batch axis.
        axis: along which units lie.
        per_unit: by group, how many indices one unit has there, on average.
    """

    shape: Shape
    axis: int
    per_unit: Mapping[str, float]

    def left(self, gone: Mapping[str, float]) -> Shape:
        """The shape when these numbers of units are gone."""
        size = self.shape[self.axis]
        if size is None:
            return self.shape
        less = round(sum(each * gone.get(name, 0.0) for name, each in self.per_unit.items()))
        return (*self.shape[: self.axis], max(size - less, 0), *self.shape[self.axis + 1 :])


@dataclass(frozen=True)
class ProductCall:
    """One call of such a layer.

    Args:
        layer: Attention, TiedLogits and the like.
        inputs: its tensors.
        output: its first result.
    """

    layer: tf_keras.layers.Layer
    inputs: Sequence[_Tensor]
    output: _Tensor

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups whose units are in its tensors."""
        return tuple(dict.fromkeys(name for one in (*self.inputs, self.output) for name in one.per_unit))

    def macs(self, gone: Mapping[str, float]) -> int:
        """Multiply-accumulate operations for one example when these numbers of units are gone."""
        return macs(self.layer, [one.left(gone) for one in self.inputs], self.output.left(gone)) or 0


def product_calls(model: tf_keras.Model) -> list[ProductCall]:
    """The calls of layers that have operations, but no kernel of their own.

    Args:
        model: functional, or a built Sequential; nested models are looked into at each of their calls.
    """
    calls = list(_calls(model))
    if not calls:
        return []
    trace = traced(model)
    positions = Positions(trace, named_units(trace))

    def tensor(one: tf.Tensor) -> _Tensor:
        axis, labels = along_its_axis(trace, trace.tensors[id(one)])
        found = positions.of(labels) if axis is not None else ()
        per_unit = {name: sum(map(len, places)) / len(places) for name, places in found}
        return _Tensor(tuple(one.shape), axis or 0, per_unit)

    return [ProductCall(layer, [tensor(one) for one in inputs], tensor(output)) for layer, inputs, output in calls]


def _calls(model: tf_keras.Model) -> Iterator[tuple[tf_keras.layers.Layer, list[tf.Tensor], tf.Tensor]]:
    for node in nodes(model):
        layer, inputs = node.layer, list(node.keras_inputs)
        if isinstance(layer, tf_keras.Model):
            yield from _calls(layer)
        elif not node.is_input and not any("kernel" in weight.name for weight in layer.weights):
            output = tf.nest.flatten(node.outputs)[0]
            if macs(layer, [tuple(one.shape) for one in inputs], tuple(output.shape)):
                yield layer, inputs, output
