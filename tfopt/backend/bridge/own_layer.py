"""A layer of a user's own class, opened: its call as a graph of the layers and operations inside it.

What is inside is then pruned, clustered and quantized like any other layer. Only a call that is such a graph can be
opened: it is traced with symbolic tensors in the place of its inputs and of its own weights, in training and not; the
conversion of the whole model proves afterwards that the outputs are the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import keras

from tfopt.backend.bridge.layer_mapping import NoEquivalent
from tfopt.backend.bridge.reading.arguments import call_spec
from tfopt.backend.bridge.reading.functionalize import name_operations
from tfopt.backend.bridge.reading.graph import Call, calls, calls_of, is_own, mask_of, parts_inside
from tfopt.backend.bridge.reading.inherited import base_class, inherited_calls, inherited_part, keras_class
from tfopt.backend.types import Nested

_Weights: TypeAlias = dict[str, tuple[keras.Variable, keras.KerasTensor]]
"""Variables with their symbolic tensors, by attribute."""
_NO_PARTS = frozenset({"_layers", "_tracker", "_metrics", "_inbound_nodes", "_outbound_nodes"})
"""Attributes of a Keras layer that are no parts by name."""


@dataclass(frozen=True)
class Opened:
    """The graph of a layer's call.

    Args:
        function: from `inputs` and the symbolic weights to the outputs.
        inputs: one for each tensor that the layer is called with, in the order of `Call.inputs`.
        weights: the layer's own variables with their symbolic tensors, by attribute.
        names: of the layers inside, by id: the attribute of the layer that holds each (`dense`, `blocks.0`). Their
            own names may count on through a process.
    """

    function: keras.Function
    inputs: list[keras.KerasTensor]
    weights: _Weights
    names: dict[int, str]


def opened(call: Call) -> Opened:
    """The graph of the call of a layer of a user's own class that has layers of Keras inside.

    Raises:
        NoEquivalent: it has none inside, or its call is no graph that could take its place; with the reason.
    """
    layer: Any = call.operation
    _refuse(layer, call)
    try:
        return _traced(call)
    except NoEquivalent as reason:
        try:
            # A call may compute with the number of examples, e.g. repeat a mask for each. For one example it is a
            # number, and what has one example is broadcast; the conversion proves whether that is the same.
            return _traced(call, 1)
        except NoEquivalent:
            raise reason from None


def _traced(call: Call, batch: int | None = None) -> Opened:
    """The graph of a call.

    Args:
        call: of an own layer.
        batch: number of examples in the place of an open one; None leaves it open.

    Raises:
        NoEquivalent: it is none, or not the same in training; with the reason.
    """
    layer: Any = call.operation
    inputs = [_twin(tensor, f"{layer.name}.input_{index}", batch) for index, tensor in enumerate(call.inputs)]
    twins = {id(tensor): twin for tensor, twin in zip(call.inputs, inputs, strict=True)}
    args, kwargs = keras.tree.map_structure(lambda value: twins.get(id(value), value), (call.args, call.kwargs))
    part = inherited_part(layer)
    places = _places(layer)
    weights = {
        name: (variable, keras.Input(batch_shape=tuple(variable.shape), dtype=variable.dtype, name=f"weight_{name}"))
        for name, variable in places.items()
    }
    modes = (None, True) if "training" in inspect.signature(layer.call).parameters else (None,)
    graphs: list[keras.Function] = []
    with _symbolic(layer, weights), inherited_calls(layer, part):
        for mode in modes:
            options = {"training": mode} if len(modes) > 1 else {}
            losses = len(layer._get_own_losses())
            try:
                outputs = layer.call(*args, **{**kwargs, **options})
                symbols = [*inputs, *(tensor for _, tensor in weights.values())]
                graphs.append(keras.Function(symbols, outputs))
            except Exception as error:  # the code of a user may raise anything
                first = str(error).strip().splitlines()[:1] or [""]
                raise NoEquivalent(f"its call is no graph of Keras layers and operations ({first[0][:120]})") from error
            if len(layer._get_own_losses()) != losses:
                raise NoEquivalent("its call adds a loss")
    if len({_signature(graph) for graph in graphs}) > 1:
        raise NoEquivalent("its call does something else in training")
    if any(isinstance(value, keras.Variable) for inner in calls(graphs[0]) for value in _values(inner)):
        raise NoEquivalent("its call uses a weight of a different layer")
    if part is not None:
        weights = _without_inherited(graphs[0], part, weights)
    name_operations(graphs[0])
    names = dict(_named(vars(layer), ()))
    if part is not None:
        names[id(part)] = type(part).__name__.lower()
    unnamed = [part.name for part in _layers(graphs[0]) if id(part) not in names and part.weights]
    if unnamed:
        raise NoEquivalent(f"the layer {unnamed[0]!r} inside it is no attribute of it")
    return Opened(graphs[0], inputs, weights, names)


def _without_inherited(graph: keras.Function, part: keras.layers.Layer, weights: _Weights) -> _Weights:
    """The own weights of a layer without those of the layer of Keras that its class inherits from.

    Raises:
        NoEquivalent: its call does not use that layer, or uses the weights themselves, too.
    """
    if part not in graph.operations:
        raise NoEquivalent("its call does not use the call of its class of Keras")
    inherits = {id(variable) for variable in part.variables}
    used = {id(value) for inner in calls(graph) for value in _values(inner)}
    if any(id(variable) in inherits and id(symbol) in used for variable, symbol in weights.values()):
        raise NoEquivalent("its call computes with the weights of its class of Keras itself")
    return {name: pair for name, pair in weights.items() if id(pair[0]) not in inherits}


def opened_again(layer: keras.layers.Layer) -> Opened:
    """The graph of a layer that is part of a model, as it was opened when the model was converted."""
    reason = NoEquivalent("it is called nowhere")
    for call in calls_of(layer):  # in graphs with open sizes, too
        try:
            return opened(call)
        except NoEquivalent as error:
            reason = error
    raise reason


def _refuse(layer: keras.layers.Layer, call: Call) -> None:
    inside = [part for part in parts_inside(layer) if not is_own(part) or base_class(type(part)) is not None]
    inherits = keras_class(type(layer)) is not None and bool(layer.weights)
    if not inherits and not any(part.weights for part in inside):
        raise NoEquivalent("no layer of Keras with weights is inside")
    if any(mask_of(tensor) is not None for tensor in [*call.inputs, *call.outputs]):
        raise NoEquivalent("a mask goes through it")
    if len({repr(call_spec((one.args, one.kwargs), [])) for one in calls_of(layer)}) > 1:
        raise NoEquivalent("it is called in several ways")
    if "mask" in call.kwargs:
        raise NoEquivalent("it is called with a mask")
    if layer._seed_generators:
        raise NoEquivalent("it draws random numbers")
    if layer.activity_regularizer is not None:
        raise NoEquivalent("it has a penalty on its output")
    for variable in _own_variables(layer):
        if variable in layer._non_trainable_variables:
            raise NoEquivalent("it keeps a state of its own")
        if variable.regularizer is not None or variable.constraint is not None:
            raise NoEquivalent("a weight of its own has a regularizer or a constraint")


def _own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _places(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    """The own variables of a layer by their attribute.

    Raises:
        NoEquivalent: one is no attribute.
    """
    found = {name: value for name, value in vars(layer).items() if isinstance(value, keras.Variable)}
    own = {id(variable) for variable in _own_variables(layer)}
    places = {name: value for name, value in found.items() if id(value) in own}
    if {id(value) for value in places.values()} != own or len(places) != len(own):
        raise NoEquivalent("a weight of its own is no attribute of it")
    return places


@contextmanager
def _symbolic(layer: keras.layers.Layer, weights: _Weights) -> Iterator[None]:
    """Puts symbolic tensors in the place of a layer's own weights: what is computed from them alone is traced, too."""
    attributes = vars(layer)
    attributes.update({name: tensor for name, (_, tensor) in weights.items()})
    inside = [part for part in layer._flatten_layers(include_self=False) if is_own(part)]
    operation = keras.Operation
    for part in inside:
        # What the class inherits may know other arguments than its own call (MultiHeadAttention of KerasHub).
        vars(part)["compute_output_spec"] = partial(operation.compute_output_spec, part)
    try:
        yield
    finally:
        attributes.update({name: variable for name, (variable, _) in weights.items()})
        for part in inside:
            vars(part).pop("compute_output_spec", None)


def _named(value: object, path: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Id and path of every layer that an attribute holds, also in lists and dicts."""
    if isinstance(value, keras.layers.Layer):
        yield id(value), ".".join(path)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in _NO_PARTS:
                yield from _named(part, (*path, str(key).lstrip("_")))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _named(part, (*path, str(index)))


def _layers(function: keras.Function) -> Iterator[keras.layers.Layer]:
    for operation in function.operations:
        if isinstance(operation, keras.layers.Layer) and not isinstance(operation, keras.layers.InputLayer):
            yield operation


def _twin(tensor: keras.KerasTensor, name: str, batch: int | None) -> keras.KerasTensor:
    shape = (batch, *tensor.shape[1:]) if tensor.shape[:1] == (None,) else tensor.shape
    return keras.Input(batch_shape=shape, dtype=tensor.dtype, name=name)


def _values(call: Call) -> list[object]:
    return keras.tree.flatten((call.args, call.kwargs))


def _signature(function: keras.Function) -> tuple[Nested, ...]:
    """Equal for graphs that compute the same: their calls in order, with the constants."""
    numbers: dict[int, int] = {id(tensor): number for number, tensor in enumerate(function.inputs)}
    lines: list[Nested] = []
    for call in calls(function):
        operation = call.operation
        own = id(operation) if isinstance(operation, keras.layers.Layer) else _plain(operation)
        values = [numbers.get(id(v), -1) if isinstance(v, keras.KerasTensor) else repr(v) for v in _values(call)]
        lines.append((type(operation).__name__, own, tuple(values)))
        numbers |= {id(tensor): len(numbers) + index for index, tensor in enumerate(call.outputs)}
    return (*lines, tuple(numbers.get(id(tensor), -1) for tensor in function.outputs))


def _plain(operation: keras.Operation) -> str:
    kept = {
        key: value
        for key, value in vars(operation).items()
        if isinstance(value, bool | int | float | str | tuple | list | None) and key not in ("name", "_inbound_nodes")
    }
    return repr({key: value for key, value in sorted(kept.items()) if not key.startswith("_")})
