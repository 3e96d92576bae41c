"""Which variable of a Keras 3 model is which variable of its tf_keras counterpart: by layer name and attribute path.

Never by the order of a list: both libraries order weights by when they were made, and these orders differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.opened_layer import OwnLayer, OwnWeights
from tfopt.backend.bridge.own_layer import opened_again
from tfopt.backend.bridge.reading.functionalize import functional, nested_graph
from tfopt.backend.bridge.tables import RENAMED_WEIGHTS
from tfopt.errors import StageError

Pair: TypeAlias = tuple[keras.Variable, tf.Variable]
_Paths: TypeAlias = dict[tuple[str, ...], Any]
"""Variables of one of the libraries, by attribute path."""

_NO_NAMES: Mapping[int, str] = MappingProxyType({})
_NOT_STRUCTURE = frozenset(
    "inbound_nodes outbound_nodes tracker layers metrics optimizer losses seed_generators trainable_variables "
    "non_trainable_variables trainable_weights non_trainable_weights self_tracked_trackables "
    "obj_reference_counts_dict callable_losses updates saved_model_inputs_spec random_generator keras_history".split()
)
"""Attributes, without their leading underscore, that hold lists of everything instead of the parts by name."""


def variable_pairs(source: keras.Model, model: tf_keras.Model) -> list[Pair]:
    """The variables of a Keras 3 model with those of its tf_keras counterpart, one to one.

    The counterpart may have been trained, pruned and stripped, saved and loaded since: layers are found by their names.

    Args:
        source: the Keras 3 model.
        model: what `to_tf_keras` made of it.

    Returns:
        Pairs of equal shape, in the order of the source's layers. States of random generators are left out where the
        layer has a tf_keras counterpart.

    Raises:
        StageError: a layer is missing, or the variables of a layer cannot be paired one to one.
    """
    pairs: dict[int, Pair] = {}
    for layer, converted in _layers(functional(source), model):
        for variable, value in layer_variable_pairs(layer, converted):
            pair = pairs.setdefault(id(variable), (variable, value))
            if pair[1] is not value:
                raise StageError(
                    f"The variable {variable.path} of the Keras 3 model has become two of the tf_keras model: its "
                    "layer is a part of another one, and is called by itself, too.",
                    "Give the second call a layer with weights of its own; of a language model of KerasHub, take the "
                    "backbone.",
                    code="bridge_failed",
                )
    return list(pairs.values())


def layer_variable_pairs(layer: keras.layers.Layer, converted: tf_keras.layers.Layer) -> list[Pair]:
    """The variables of one layer with those of its counterpart or wrapper.

    Raises:
        StageError: they cannot be paired one to one with equal shapes.
    """
    if isinstance(converted, OwnLayer):
        inside = converted.layers[-1]
        if not converted.roles:
            return layer_variable_pairs(layer, inside)
        return [(getattr(layer, name), getattr(inside, role)) for role, name in converted.roles.items()]
    if isinstance(converted, OwnWeights):
        return [(getattr(layer, name), value) for name, value in converted.by_attribute.items()]
    if isinstance(converted, Keras3LayerWrapper):
        expected, values = layer.variables, converted.weights
        paths = {path: variable.value for path, variable in _paths(converted.wrapped, keras.Variable).items()}
        renamed: Mapping[str, str] = {}
    else:
        # Among the weights of a lookup layer is its vocabulary, which is not a variable.
        expected, values = layer.weights, [weight for weight in converted.weights if isinstance(weight, tf.Variable)]
        paths = _paths(converted, tf.Variable)
        renamed = RENAMED_WEIGHTS.get(type(converted).__name__, {})
    candidates: dict[int, dict[int, tf.Variable]] = defaultdict(dict)
    for path, variable in _paths(layer, keras.Variable).items():
        value = paths.get((*path[:-1], renamed.get(path[-1], path[-1])))
        if value is not None:
            candidates[id(variable)][id(value)] = value
    pairs = [(variable, value) for variable in expected for value in candidates[id(variable)].values()]
    one_to_one = (
        len({id(variable) for variable, _ in pairs}) == len(pairs) == len({id(variable) for variable in expected})
        and {id(value) for _, value in pairs} == {id(value) for value in values}
        and len({id(value) for _, value in pairs}) == len(pairs)
    )
    if not one_to_one or any(tuple(variable.shape) != tuple(value.shape) for variable, value in pairs):
        raise StageError(
            f"The variables of the layer {layer.name!r} ({type(layer).__name__}) cannot be paired one to one: Keras 3 "
            f"has {_described(expected)}, tf_keras {_described(values)}.",
            "Every variable must be reachable through an attribute of its layer.",
            code="bridge_failed",
        )
    return pairs


def _layers(
    source: keras.Model | keras.Function, model: tf_keras.Model, prefix: str = "", names: Mapping[int, str] = _NO_NAMES
) -> Iterator[tuple[keras.layers.Layer, tf_keras.layers.Layer]]:
    """Layers of the same name that hold their variables themselves, those of nested models in their place.

    Args:
        source: the Keras 3 side.
        model: its counterpart.
        prefix: what the names in `model` begin with.
        names: the names of layers in `model` behind that, by id of the Keras 3 layer, where they are not the same.
    """
    counterparts = {layer.name: layer for layer in model.layers}
    parts = source.layers if isinstance(source, keras.Model) else source.operations
    for layer in parts:
        if not isinstance(layer, keras.layers.Layer):
            continue
        converted = counterparts.get(prefix + names.get(id(layer), layer.name))
        if converted is None:
            if isinstance(layer, keras.layers.InputLayer) or not layer.weights:
                continue
            raise StageError(
                f"The tf_keras model {model.name!r} has no layer {layer.name!r}, which the Keras 3 model has.",
                code="bridge_failed",
            )
        inside = _models(layer, converted)
        if inside is not None:
            yield from _layers(nested_graph(inside[0]), inside[1])
        elif isinstance(converted, OwnLayer) and converted.roles is not None:
            yield layer, converted
        elif isinstance(converted, OwnLayer):
            graph = opened_again(layer)
            yield from _layers(graph.function, converted, f"{converted.name}.", graph.names)
            yield from ((layer, part) for part in converted.layers if isinstance(part, OwnWeights))
        else:
            yield layer, converted


def _models(layer: keras.layers.Layer, converted: tf_keras.layers.Layer) -> tuple[keras.Model, tf_keras.Model] | None:
    """The nested models that two layers are, or are wrapped around."""
    if isinstance(layer, keras.layers.TimeDistributed) and isinstance(converted, tf_keras.layers.TimeDistributed):
        layer, converted = layer.layer, converted.layer
    return (layer, converted) if isinstance(layer, keras.Model) and isinstance(converted, tf_keras.Model) else None


def _paths(layer: keras.layers.Layer | tf_keras.layers.Layer, kind: type) -> _Paths:
    """Every variable by its attribute path, leading underscores left out; a variable may have several paths."""
    parts = (keras.layers.Layer, tf_keras.layers.Layer, keras.random.SeedGenerator)
    paths: _Paths = {}

    def walk(value: object, path: tuple[str, ...], above: tuple[int, ...]) -> None:
        if isinstance(value, kind):
            paths[path] = value
        elif id(value) in above:
            return
        elif isinstance(value, parts):
            for name, part in vars(value).items():
                if (plain := name.lstrip("_")) not in _NOT_STRUCTURE:
                    walk(part, (*path, plain), (*above, id(value)))
        elif isinstance(value, list | tuple):
            for index, part in enumerate(value):
                walk(part, (*path, str(index)), (*above, id(value)))
        elif isinstance(value, dict):
            for key, part in value.items():
                walk(part, (*path, str(key)), (*above, id(value)))

    walk(layer, (), ())
    return paths


def _described(variables: Sequence[keras.Variable | tf.Variable]) -> str:
    return ", ".join(f"{variable.name} {tuple(variable.shape)}" for variable in variables) or "none"
