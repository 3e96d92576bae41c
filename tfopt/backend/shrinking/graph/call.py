"""One call of a layer while units are followed through a model, and what was found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import tensorflow as tf
import tf_keras

from tfopt.backend.shrinking.graph.activations import is_elementwise
from tfopt.backend.shrinking.graph.labels import Units, at_axis
from tfopt.backend.shrinking.graph.types import Kind, Role
from tfopt.backend.types import Array, Nested, Shape


@dataclass(frozen=True)
class WeightUse:
    """Labels of a weight along one of its axes.

    Args:
        layer: path of the layer that owns it.
        weight: index in its `weights`.
        labels: with as many axes as the weight.
        role: see `Member`.
    """

    layer: str
    weight: int
    labels: Array
    role: Role


@dataclass
class Trace:
    """What is known of a model after its graph was followed.

    Args:
        units: all labels.
        uses: axes of weights with labels, in the order of the graph.
        outputs: by the identity of a layer, labels of the outputs of its first call.
        shapes: of the same outputs, with the batch axis.
        visible: paths of layers whose outputs show their units, by path, with the labels.
        paths: of each layer by identity, the first that was met.
        tensors: labels of every tensor, at its first call where the model around it is called several times.
        produced: labels of units, by identity and axis of the weight that computes them.
        used: labels of weights, by identity and axis.
        recorded: path of the layer, identity and axis of each of `uses`.
    """

    units: Units = field(default_factory=Units)
    uses: list[WeightUse] = field(default_factory=list)
    outputs: dict[int, list[Array]] = field(default_factory=dict)
    shapes: dict[int, list[Shape]] = field(default_factory=dict)
    visible: dict[str, Array] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    tensors: dict[int, Array] = field(default_factory=dict)
    produced: dict[tuple[int, int], Array] = field(default_factory=dict)
    used: dict[tuple[int, int], Array] = field(default_factory=dict)
    recorded: set[tuple[str, int, int]] = field(default_factory=set)


@dataclass(frozen=True)
class Call:
    """One call of a layer, as its rule sees it.

    Args:
        trace: of the whole model.
        layer: whose rule is asked.
        owner: the layer of the model: `layer`, or a wrapper around it.
        path: of the owner.
        inputs: labels of the tensors in the first argument.
        shapes: of the same, with the batch axis.
        output_shapes: of its results.
        args: all arguments, with `Labelled` in the place of tensors.
        kwargs: the same by name.
    """

    trace: Trace
    layer: tf_keras.layers.Layer
    owner: tf_keras.layers.Layer
    path: str
    inputs: Sequence[Array]
    shapes: Sequence[Shape]
    output_shapes: Sequence[Shape]
    args: Sequence[Nested] = ()
    kwargs: Mapping[str, Nested] = field(default_factory=dict)

    @property
    def units(self) -> Units:
        """All labels of the model."""
        return self.trace.units

    def along(self, axis: int, index: int = 0) -> Array:
        """The labels along one axis of an input; those that differ along other axes are united."""
        size = self.shapes[index][axis]
        labels = self.inputs[index]
        return self.units.along(labels, axis, labels.shape[axis] if size is None else size)

    def produced(self, variable: tf.Variable, axis: int, count: int, kind: Kind, channels: int = 1) -> Array:
        """Labels of the units that a weight computes: new ones, or those of an earlier call.

        Args:
            variable: the kernel.
            axis: of its units.
            count: of units.
            kind: of units.
            channels: under one unit; positions along the axis are not labelled here where that is not 1.
        """
        key = (id(variable), axis % len(variable.shape))
        if key not in self.trace.produced:
            self.trace.produced[key] = self.units.allocate(count, self.path, kind, channels)
        return self.trace.produced[key]

    def use(self, variable: tf.Variable, axis: int, labels: Array, role: Role) -> None:
        """Labels of a weight along one axis, one for each position."""
        axis %= len(variable.shape)
        self.use_all(variable, at_axis(labels, axis, len(variable.shape)), role, axis)

    def use_all(self, variable: tf.Variable, labels: Array, role: Role, axis: int = -1) -> None:
        """Labels of a weight with as many axes as it has."""
        key = (id(variable), axis)
        if key in self.trace.used:
            self.units.unite(self.trace.used[key], labels)
        if (self.path, *key) in self.trace.recorded:
            return
        self.trace.recorded.add((self.path, *key))
        self.trace.used.setdefault(key, labels)
        index = next(index for index, weight in enumerate(self.owner.weights) if weight is variable)
        self.trace.uses.append(WeightUse(self.path, index, labels, role))
        if not self.owner.trainable or not self.layer.trainable:
            self.units.fix(labels, f"the layer {self.path!r} is frozen")

    def through(self, function: object, labels: Array) -> None:
        """Labels pass an activation function, which may mix the units."""
        if function is not None and not is_elementwise(function):
            name = getattr(function, "__name__", type(function).__name__)
            self.units.fix(labels, f"the activation {name} of {self.path!r} computes one unit from others")

    def fix(self, labels: Array, why: str) -> None:
        """Nothing under these labels can be removed; `why` goes on after the path of the layer."""
        self.units.fix(labels, f"{self.path!r} {why}")

    def unknown(self, why: str) -> list[Array]:
        """Outputs of a layer of which nothing is known: neither they nor the inputs can be changed.

        A layer with kernels is a group of its own, so that it is named with the reason.
        """
        for labels in (*self.inputs, *(one.labels for one in self.others())):
            self.fix(labels, why)
        has_kernels = any(len(weight.shape) > 1 for weight in self.owner.weights)
        if has_kernels and all(one.layer != self.path for one in self.units.allocations):
            size = self.output_shapes[0][-1] if self.output_shapes[0] else None
            self.fix(self.units.allocate(size or 1, self.path, "width"), why)
        return [self.units.kept(len(shape), f"{self.path!r} {why}") for shape in self.output_shapes]

    def keeps_places(self, tensors: Sequence[Labelled]) -> bool:
        """Whether the one output has the shape of its tensors together, as NumPy broadcasts them."""
        rank = max((len(one.shape) for one in tensors), default=0)
        shapes = [(1,) * (rank - len(one.shape)) + tuple(one.shape) for one in tensors]
        together = tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*shapes, strict=True))
        return len(self.output_shapes) == 1 and together[1:] == tuple(self.output_shapes[0])[1:]

    def others(self) -> list[Labelled]:
        """The tensors among the arguments behind the first."""
        flat = tf.nest.flatten((list(self.args[1:]), dict(self.kwargs)))
        return [value for value in flat if isinstance(value, Labelled)]


@dataclass(frozen=True)
class Labelled:
    """A tensor among the arguments of a call."""

    labels: Array
    shape: Shape
