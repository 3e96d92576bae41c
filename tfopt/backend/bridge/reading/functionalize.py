"""A Keras 3 model as a graph: Functional and Sequential models have one, a subclassed model is traced."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import chain, count

import keras
import tf_keras

from tfopt.backend.bridge.reading.graph import calls_of
from tfopt.backend.bridge.reading.inlining import inlined, with_called_shapes, with_sizes
from tfopt.backend.types import Nested
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError


def functional(model: keras.Model) -> keras.Model:
    """The model itself if it is Functional or Sequential, else its `call` traced to a functional model of its layers.

    A nested model that shares a layer with what is around it is taken apart (`inlining`). The layers are shared with
    `model`, so the weights are the same objects.

    Raises:
        StageError: the model is not built, or its `call` cannot be traced.
    """
    return inlined(_traced(model), _traced)


def of_sizes(model: keras.Model, sizes: Sequence[Sequence[int | None]]) -> keras.Model:
    """As `functional`, with these sizes of one example for each input that leaves its own open.

    A model of the same inputs is returned as it is.

    Raises:
        StageError: as `functional`, or a layer cannot be called on such inputs.
    """
    graph = functional(model)
    if isinstance(graph, keras.Sequential) or [tuple(of_one) for of_one in sizes] == sizes_of(graph):
        return graph
    return with_sizes(graph, sizes)


def sizes_of(model: keras.Model | tf_keras.Model) -> list[tuple[int | None, ...]]:
    """The sizes of one example of each input, None where they are open."""
    return [tuple(tensor.shape[1:]) for tensor in model.inputs]


def nested_graph(model: keras.Model) -> keras.Model:
    """As `functional`, for a model inside another one: with the sizes that it is called with."""
    return with_called_shapes(functional(model), calls_of(model))


def _traced(model: keras.Model) -> keras.Model:
    if isinstance(model, keras.Sequential):
        if not model.built or model._functional is None:
            raise StageError(
                f"The Sequential model {model.name!r} has no input shape yet.",
                "Begin it with keras.Input(shape).",
                code="model_not_built",
            )
        return model
    if _has_graph(model):
        return model
    if not model.built:
        raise StageError(
            f"The model {model.name!r} ({type(model).__name__}) is not built: its input shapes are unknown.",
            "Call it once on a batch of data.",
            code="model_not_built",
        )
    inputs = _inputs(model)
    outputs = guarded(lambda: _call(model, inputs), _tracing(model))
    traced = guarded(lambda: keras.Model(inputs, outputs, name=model.name, trainable=model.trainable), _tracing(model))
    name_operations(traced)
    return traced


def _has_graph(model: keras.Model) -> bool:
    """Whether the model is defined by its graph: a subclass of Functional may have a `call` of its own."""
    return hasattr(model, "_nodes_by_depth") and type(model).call.__module__.split(".")[0] == "keras"


def name_operations(model: keras.Model | keras.Function) -> None:
    """Names operations by their place in the graph: Keras counts them on through a process."""
    taken = {operation.name for operation in model.operations if isinstance(operation, keras.layers.Layer)}
    for operation in model.operations:
        if not isinstance(operation, keras.layers.Layer):
            stem = type(operation).__name__.lower()
            operation.name = next(
                name for name in chain([stem], (f"{stem}_{index}" for index in count(1))) if name not in taken
            )
            taken.add(operation.name)


def _tracing(model: keras.Model) -> str:
    return (
        f"Tracing the call of {model.name!r} ({type(model).__name__}) to a graph of keras.layers and keras.ops, as "
        "the bridge needs it,"
    )


def _inputs(model: keras.Model) -> Nested:
    shapes = model._build_shapes_dict
    if not shapes:
        raise StageError(
            f"The input shapes of the model {model.name!r} ({type(model).__name__}) are unknown.",
            "Call it once on a batch of data before it is converted.",
            code="model_not_built",
        )
    first = next(iter(shapes.values())) if len(shapes) == 1 else shapes
    return _as_inputs(first, "input")


def _as_inputs(shape: Nested, name: str) -> Nested:
    if isinstance(shape, dict):
        return {key: _as_inputs(inner, key.removesuffix("_shape")) for key, inner in shape.items()}
    if isinstance(shape, list | tuple) and shape and not isinstance(shape[0], int | None):
        return [_as_inputs(inner, f"{name}_{index}") for index, inner in enumerate(shape)]
    return keras.Input(batch_shape=(None, *shape[1:]), name=name)


def _call(model: keras.Model, inputs: Nested) -> Nested:
    names = {name.removesuffix("_shape") for name in model._build_shapes_dict}
    if len(names) > 1 and names <= set(inspect.signature(model.call).parameters):
        return model.call(**inputs)
    return model.call(inputs)
