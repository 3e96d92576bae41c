"""Nested models and own layers that share a layer with what is around them: an embedding that is the last layer, too.

Both libraries write each nested model into a file by itself, where a layer that is called outside as well becomes a
second layer with a variable of its own (Keras 3.15 then even fails to load its own file). In one graph it stays one.
A layer of a user's own class with such a layer inside (the token embedding inside of KerasHub's
TokenAndPositionEmbedding) is taken apart in the same way: its call is repeated on the tensors of the graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras

from tfopt.backend.bridge.reading.graph import Call, calls, graph_of, is_own, mask_of, parts_inside
from tfopt.backend.types import Nested
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

Trace = Callable[[Any], keras.Model]
"""Makes a Functional or Sequential model of any."""


def inlined(model: keras.Model, trace: Trace) -> keras.Model:
    """The model with the calls inside of such models and layers in their place; the layers inside are the same objects.

    Args:
        model: Functional or Sequential.
        trace: for the nested models.

    Returns:
        The model itself where nothing shares a layer with what is around it.

    Raises:
        StageError: a nested model is called with something else than tensors like its inputs, two layers would have
            the same name, or an own layer cannot be taken apart (a mask, a penalty, weights that it uses itself).
    """
    nested = _to_inline(model, trace)
    if not nested:
        return model
    graph = graph_of(model)
    tensors: dict[int, keras.KerasTensor] = {}
    _replay(model, nested, trace, tensors)
    outputs = keras.tree.map_structure(lambda tensor: tensors.get(id(tensor), tensor), graph._outputs_struct)
    made: keras.Model = guarded(
        lambda: keras.Model(graph._inputs_struct, outputs, name=model.name, trainable=model.trainable),
        f"Joining the layers of {model.name!r} and of the models in it, which share layers,",
    )
    return made


def with_called_shapes(model: keras.Model, uses: Sequence[Call]) -> keras.Model:
    """A nested model for inputs of the sizes that it is called with, where it leaves sizes open.

    With sizes, more can be computed before the model runs: a causal mask becomes a constant.

    Args:
        model: Functional or Sequential.
        uses: its calls.

    Returns:
        The model itself where it has no open size, or is called with several.
    """
    if isinstance(model, keras.Sequential) or not uses:
        return model
    try:
        shapes = {tuple(tuple(tensor.shape[1:]) for tensor in _inputs_in_order(use, model)) for use in uses}
    except StageError:
        return model
    if len(shapes) != 1 or shapes == {tuple(tuple(tensor.shape[1:]) for tensor in model.inputs)}:
        return model
    return with_sizes(model, *shapes)


def with_sizes(model: keras.Model, sizes: Sequence[Sequence[int | None]]) -> keras.Model:
    """A functional model with the same layers, called on inputs of these sizes.

    Args:
        model: Functional.
        sizes: of one example, for each input in the order of `model.inputs`.

    Raises:
        StageError: a layer cannot be called on them.
    """
    tensors = {
        id(tensor): keras.Input(
            batch_shape=(tensor.shape[0], *of_one), dtype=tensor.dtype, name=tensor._keras_history.operation.name
        )
        for tensor, of_one in zip(model.inputs, sizes, strict=True)
    }
    inputs = keras.tree.map_structure(lambda tensor: tensors[id(tensor)], model._inputs_struct)
    _replay(model, frozenset(), lambda nested: nested, tensors)
    outputs = keras.tree.map_structure(lambda tensor: tensors.get(id(tensor), tensor), model._outputs_struct)
    made: keras.Model = guarded(
        lambda: keras.Model(inputs, outputs, name=model.name, trainable=model.trainable),
        f"Calling the layers of {model.name!r} on inputs of known sizes",
    )
    return made


def _replay(model: keras.Model, nested: frozenset[int], trace: Trace, tensors: dict[int, keras.KerasTensor]) -> None:
    """Adds the new tensors after each call to `tensors`, by the ids of the old; those that stay are not in it."""
    for call in calls(model):
        if id(call.operation) in nested and not isinstance(call.operation, keras.Model):
            outputs = keras.tree.flatten(_called_inside(call, tensors))
        elif id(call.operation) in nested:
            inner = trace(call.operation)
            graph = graph_of(inner)
            given = _inputs_in_order(call, graph)
            tensors |= {id(old): tensors.get(id(new), new) for old, new in zip(graph.inputs, given, strict=True)}
            _replay(inner, nested, trace, tensors)
            outputs = [tensors[id(tensor)] for tensor in graph.outputs]
        elif any(id(tensor) in tensors for tensor in call.inputs):
            outputs = keras.tree.flatten(_call_again(call, tensors))
        else:
            continue
        tensors |= {id(old): new for old, new in zip(call.outputs, outputs, strict=True)}


def _called_inside(call: Call, tensors: dict[int, keras.KerasTensor]) -> Nested:
    """The outputs of the calls that the call of an own layer consists of.

    Raises:
        StageError: a mask goes through it, it has a penalty, or it uses weights other than by calling layers.
    """
    layer: Any = call.operation
    masked = any(mask_of(tensor) is not None for tensor in (*call.inputs, *call.outputs))
    if masked or layer.activity_regularizer is not None:
        raise _stays_closed(layer, "a mask goes through it" if masked else "it has a penalty on its output")
    parts = parts_inside(layer)
    before = [len(part._inbound_nodes) for part in parts]
    args, kwargs = _given(call, tensors)
    outputs = guarded(lambda: layer.call(*args, **kwargs), f"Calling what is inside the layer {layer.name!r}")
    called = [part for part, count in zip(parts, before, strict=True) if len(part._inbound_nodes) > count]
    reached = {id(variable) for part in called for variable in part.variables}
    if left := [variable.path for variable in layer.variables if id(variable) not in reached]:
        raise _stays_closed(layer, f"uses {left[0]} itself")
    return outputs


def _stays_closed(layer: keras.layers.Layer, why: str) -> StageError:
    return StageError(
        f"The layer {layer.name!r} ({type(layer).__name__}) shares a layer inside it with the model around it, and "
        f"{why}.",
        "Give the second call a layer with weights of its own; of a language model of KerasHub, take the backbone.",
        code="bridge_failed",
    )


def _given(call: Call, tensors: dict[int, keras.KerasTensor]) -> Any:
    return keras.tree.map_structure(lambda value: tensors.get(id(value), value), (call.args, call.kwargs))


def _call_again(call: Call, tensors: dict[int, keras.KerasTensor]) -> Nested:
    args, kwargs = _given(call, tensors)
    return guarded(lambda: call.operation(*args, **kwargs), f"Calling the layer {call.operation.name!r}")


def _to_inline(model: keras.Model, trace: Trace) -> frozenset[int]:
    """Ids of the nested models and own layers that share a layer with what is around them."""
    found: dict[int, set[tuple[int, ...]]] = defaultdict(set)
    for layer, around in _layers(model, (), trace):
        if layer.weights:
            found[id(layer)].add(around)
    return frozenset(nested for ways in found.values() if len(ways) > 1 for way in ways for nested in way)


def _layers(
    model: keras.Model, around: tuple[int, ...], trace: Trace
) -> Iterator[tuple[keras.layers.Layer, tuple[int, ...]]]:
    """Every layer with the nested models and own layers around it, from the outside in."""
    for layer in graph_of(model).layers:
        yield layer, around
        if isinstance(layer, keras.Model):
            yield from _layers(trace(layer), (*around, id(layer)), trace)
        elif is_own(layer):
            yield from ((part, (*around, id(layer))) for part in parts_inside(layer))


def _inputs_in_order(call: Call, graph: keras.Model) -> list[keras.KerasTensor]:
    """The tensors that a nested model is called with, in the order of its inputs."""
    given, expected = call.args[0] if len(call.args) == 1 else call.args, graph._inputs_struct
    flat, inputs = keras.tree.flatten(given), keras.tree.flatten(expected)
    by_key = not isinstance(expected, dict) or (isinstance(given, dict) and given.keys() == expected.keys())
    alike = len(flat) == len(inputs) and all(
        isinstance(one, keras.KerasTensor) and one.dtype == other.dtype and len(one.shape) == len(other.shape)
        for one, other in zip(flat, inputs, strict=True)
    )
    if call.kwargs or not by_key or not alike:
        raise StageError(
            f"The nested model {call.operation.name!r} shares a layer with the model around it, and is not called with "
            "tensors of the structure, rank and dtype of its inputs.",
            "Call it with tensors that are like its inputs.",
            code="bridge_failed",
        )
    order = {id(tensor): position for position, tensor in enumerate(inputs)}
    return [flat[order[id(tensor)]] for tensor in graph.inputs]
