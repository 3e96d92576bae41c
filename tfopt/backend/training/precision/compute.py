"""Layers that compute in 16 bits for the time of a stage, with all of their weights in float32.

Keras' own mixed precision is a property of a layer from the moment when it is built. Here a stage puts it on and takes
it off: the model that comes out is the one that went in, and pruning masks, shared values and the ranges of QAT,
whose wrappers contain the layers, work on the float32 weights and never see 16 bits.

What computes in 16 bits is a list (`layers`), as in other tools for automatic mixed precision; all else, layers of a
user's own and operators between layers too, gets float32 and gives float32. So do the outputs of the model, with the
activation of the last layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_clustering import ClusterWeights
from tfopt.backend.compat.tfmot_pruning import PruneLowMagnitude
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.training.precision.layers import AROUND, ATTENTION, KERNELS, PASSING, RECURRENT
from tfopt.core.config.training.precision import Precision, compute_dtype, is_mixed

Layer = tf_keras.layers.Layer
T = TypeVar("T")

_TRANSPARENT = (PruneLowMagnitude, ClusterWeights)
"""Wrappers that call the layer inside and hand on what it returns."""


@dataclass(frozen=True)
class Computed:
    """Which weights are multiplied in 16 bits.

    Args:
        layers: names of the layers.
        parameters: weights in their kernels.
        total: weights of the model that are trained.
    """

    layers: tuple[str, ...] = ()
    parameters: int = 0
    total: int = 0


@contextmanager
def computing_in(precision: Precision | None, model: tf_keras.Model) -> Iterator[Computed]:
    """While it lasts, the layers of a model compute as the recipe's `precision` says, wherever they are traced.

    Args:
        precision: of the recipe; with None or float32 nothing is changed.
        model: built, possibly wrapped by tfmot; it is as before afterwards.

    Yields:
        What computes in 16 bits.
    """
    if not is_mixed(precision):
        yield Computed()
        return
    policy = tf_keras.mixed_precision.Policy(precision)
    with ExitStack() as stack:
        _forget_traces(model)
        stack.callback(_forget_traces, model)
        placed = _Placed(stack, policy, tf.as_dtype(compute_dtype(precision)))
        placed.enter(model, connected=True)
        yield Computed(
            tuple(layer.name for layer in placed.computing),
            sum(int(tf.size(weight)) for layer in placed.computing for weight in layer.trainable_weights),
            sum(int(tf.size(weight)) for weight in model.trainable_weights),
        )


def _forget_traces(model: tf_keras.Model) -> None:
    """Functions that Keras has traced, when a callback asked for predictions say, hold the types of their time."""
    for name in ("train_function", "test_function", "predict_function"):
        object.__setattr__(model, name, None)


class _Placed:
    """Puts each layer of a model into its place, until `stack` is closed."""

    def __init__(self, stack: ExitStack, policy: tf_keras.mixed_precision.Policy, half: tf.DType) -> None:
        self._stack, self._policy, self._half = stack, policy, half
        self._seen: set[int] = set()
        self.computing: list[Layer] = []

    def enter(self, model: tf_keras.Model, connected: bool, is_output: bool = True) -> None:
        """Places the layers of a model, nested ones too.

        Args:
            model: a model.
            connected: whether everything around hands its tensors on as they are.
            is_output: whether its outputs are those of the whole model.
        """
        connected = connected and bool(getattr(model, "_is_graph_network", False))
        last = {id(layer) for layer in getattr(model, "_output_layers", ())} if is_output else set()
        if isinstance(model, tf_keras.Sequential) and is_output and model.layers:
            last = {id(model.layers[-1])}
        for layer in model.layers:
            if isinstance(layer, tf_keras.Model):
                self.enter(layer, connected, id(layer) in last or not connected)
            elif not isinstance(layer, tf_keras.layers.InputLayer):
                self._place(layer, connected and id(layer) not in last)

    def _place(self, layer: Layer, connected: bool) -> None:
        """A layer that is connected hands on 16 bits where it is one of those that compute so."""
        if id(layer) in self._seen:
            return
        self._seen.add(id(layer))
        inner = layer.layer if isinstance(layer, _TRANSPARENT) else layer
        self._seen.add(id(inner))
        kind = type(inner)
        if connected and kind in KERNELS | RECURRENT | PASSING | ATTENTION:
            if inner is not layer:
                self._set(layer, _autocast=False)
            if kind in ATTENTION:
                for part in all_layers(inner):
                    self._compute(part)
            self._compute(inner)
        elif connected and kind in AROUND and type(inner.layer) in KERNELS | RECURRENT | PASSING:
            self._set_policy(inner)
            for part in all_layers(inner):
                if type(part) in KERNELS | RECURRENT | PASSING:
                    self._compute(part)
        else:
            self._isolate(layer, inner)

    def _isolate(self, layer: Layer, inner: Layer) -> None:
        """A layer that gives and gets float32; convolutions and matrix products inside of it may use 16 bits."""
        for part in all_layers(layer, include_self=True):
            self._seen.add(id(part))
            if type(part) in KERNELS:
                self.computing.append(part)
                self._set_policy(part)
                self._call(part, self._half, returned=tf.float32)
        if type(inner) not in KERNELS:
            self._call(inner, tf.float32)

    def _compute(self, layer: Layer) -> None:
        """A layer that computes in 16 bits and returns them."""
        self._seen.add(id(layer))
        self._set_policy(layer)
        if type(layer) in KERNELS | RECURRENT:
            self.computing.append(layer)
        if type(layer) not in ATTENTION:
            self._call(layer, self._half)

    def _call(self, layer: Layer, dtype: tf.DType, returned: tf.DType | None = None) -> None:
        own = "call" in vars(layer)
        before = layer.call
        object.__setattr__(layer, "call", _casting(layer, before, dtype, returned))

        def restore() -> None:
            if own:
                object.__setattr__(layer, "call", before)
            else:
                object.__delattr__(layer, "call")

        self._stack.callback(restore)

    def _set_policy(self, layer: Layer) -> None:
        before = layer.dtype_policy
        layer._set_dtype_policy(self._policy)
        self._stack.callback(layer._set_dtype_policy, before)

    def _set(self, layer: Layer, **attributes: object) -> None:
        for name, value in attributes.items():
            self._stack.callback(object.__setattr__, layer, name, getattr(layer, name))
            object.__setattr__(layer, name, value)


def _casting(
    layer: Layer, call: Callable[..., object], dtype: tf.DType, returned: tf.DType | None
) -> Callable[..., object]:
    """`layer.call` with its tensors, and the layer's weights, in a type."""
    holders = _holders(layer) if type(layer) in KERNELS | RECURRENT or type(layer) is tf_keras.layers.PReLU else []

    def casted(*inputs: object, **arguments: object) -> object:
        inputs, arguments = as_type((inputs, arguments), dtype)
        with _replaced(holders, dtype, returned):
            outputs = call(*inputs, **arguments)
        return outputs if returned is None else as_type(outputs, returned)

    return tf.autograph.experimental.do_not_convert(casted)


def as_type(nested: T, dtype: tf.DType) -> T:
    """Tensors of floating point, nested, in another type; with their Keras masks."""

    def cast(value: object) -> object:
        if not tf.is_tensor(value) or not value.dtype.is_floating or value.dtype == dtype:
            return value
        other = tf.cast(value, dtype)
        mask = getattr(value, "_keras_mask", None)
        if mask is not None:
            other._keras_mask = mask
        return other

    return tf.nest.map_structure(cast, nested)


def _holders(layer: Layer) -> list[tuple[object, str]]:
    """The objects that hold a layer's weights, and the attributes in which they do."""
    weights = {id(weight) for weight in layer.weights}
    return [
        (module, name)
        for module in (layer, *layer.submodules)
        for name, value in vars(module).items()
        if id(value) in weights
    ]


@contextmanager
def _replaced(holders: list[tuple[object, str]], dtype: tf.DType, returned: tf.DType | None) -> Iterator[None]:
    """Weights in `dtype`, be they variables or tensors that a wrapper has put in their place; and activations that
    compute in float32 where that is returned."""
    before: Mapping[tuple[int, str], object] = {(id(holder), name): vars(holder)[name] for holder, name in holders}
    activations: list[tuple[object, Callable[..., object]]] = []
    for holder, name in holders:
        value = vars(holder)[name]
        # Past Keras' own attribute tracking, which would move the weight to the end of the layer's weights.
        object.__setattr__(holder, name, tf.cast(tf.convert_to_tensor(value), dtype))
        activation = vars(holder).get("activation")
        if returned is not None and activation is not None and holder not in (one for one, _ in activations):
            activations.append((holder, activation))
            object.__setattr__(holder, "activation", _in_type(activation, returned))
    try:
        yield
    finally:
        for holder, name in holders:
            object.__setattr__(holder, name, before[id(holder), name])
        for holder, activation in activations:
            object.__setattr__(holder, "activation", activation)


def _in_type(activation: Callable[[tf.Tensor], tf.Tensor], dtype: tf.DType) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda values: activation(tf.cast(values, dtype))
