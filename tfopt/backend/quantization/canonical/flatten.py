"""Nested models taken apart: one functional model with all layers in it.

tfmot rejects nested models (`Quantizing a keras Model inside another keras Model is not supported.`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, TypeGuard

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Functional, Node
from tfopt.backend.graph.layers import layer_type, nodes
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state, readable
from tfopt.backend.quantization.canonical.replay import (
    Args,
    Kwargs,
    Tensors,
    call_arguments,
    rebuild,
    record_outputs,
)
from tfopt.backend.types import Nested, Shape

LayerPath: TypeAlias = tuple[str, ...]
"""Names of the nested models around a layer, from the outside in, and its own."""


@dataclass(frozen=True)
class OriginalLayer:
    """A layer of the original model.

    Args:
        name: its Keras name.
        kind: its type, such as Conv2D.
        within: name and type of the nested models around it, from the outside in.
    """

    name: str
    kind: str
    within: tuple[tuple[str, str], ...] = ()

    @property
    def rule_targets(self) -> tuple[tuple[str, str], ...]:
        """Name and type of the layer and of the models around it: a rule that matches one applies to the layer."""
        return ((self.name, self.kind), *self.within)


@dataclass(frozen=True)
class FlatModel:
    """A flat copy of a model.

    Args:
        model: functional, without nested models.
        original_of: by name of a layer of `model`, the layer that it is a copy of.
        paths: by each path of an original layer, the name of its copy.
        tensors: the flat model's tensors, by the identity of the original's.
    """

    model: tf_keras.Model
    original_of: Mapping[str, OriginalLayer]
    paths: Mapping[LayerPath, str]
    tensors: Tensors


def flattened_layers(model: tf_keras.Model, path: LayerPath = ()) -> Iterator[tuple[LayerPath, layers.Layer]]:
    """All layers of a model with their paths; a nested model that can be taken apart is replaced by its layers.

    `tfopt.backend.graph.layers.layer_paths` also enters nested models with a `call` of their own; here they are one
    layer.
    """
    for layer in model.layers:
        if is_transparent(layer):
            yield from flattened_layers(layer, (*path, layer.name))
        else:
            yield (*path, layer.name), layer


def is_transparent(layer: layers.Layer) -> TypeGuard[tf_keras.Model]:
    """Whether a layer is a model that does nothing but call its layers."""
    return getattr(layer, "_is_graph_network", False) and type(layer).call in (
        Functional.call,
        tf_keras.Sequential.call,
    )


def flatten(model: tf_keras.Model, shapes: Mapping[str, Shape] = MappingProxyType({})) -> FlatModel:
    """A flat copy of a functional model or built Sequential; the original is not changed.

    A layer keeps its name where that is unique; otherwise the names of the models around it are prepended. A layer
    that is shared, or in a nested model called twice, is shared in the copy. `training=False` at the call of a nested
    model is passed to its layers.

    Args:
        model: functional, or a built Sequential.
        shapes: of one example, by name of an input that gets a different shape than in `model`.

    Raises:
        StageError: a layer has no usable `get_config`.
    """
    flattener = _Flattener(model, shapes)
    with readable(model):
        flat, tensors = rebuild(model, flattener.call, flattener.copy)
        for layer, copy in flattener.copies.values():
            copy_state(layer, copy)
    names = {key: copy.name for key, (_, copy) in flattener.copies.items()}
    paths = {path: names[id(layer)] for path, layer in flattened_layers(model) if id(layer) in names}
    return FlatModel(flat, flattener.original_of, paths, tensors)


class _Flattener:
    """Copies each layer once, however often and however deep it is called.

    Args:
        model: the outermost model.
        shapes: of one example, by name of an input that gets a different shape.
    """

    def __init__(self, model: tf_keras.Model, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self.copies: dict[int, tuple[layers.Layer, layers.Layer]] = {}
        self.original_of: dict[str, OriginalLayer] = {}
        self._reserved = {node.layer.name for node in nodes(model) if not is_transparent(node.layer)}

    def call(
        self,
        node: Node,
        args: Args,
        kwargs: Kwargs,
        around: tuple[layers.Layer, ...] = (),
        training: bool | None = None,
    ) -> Nested:
        layer: layers.Layer = node.layer
        if training is not None and layer._expects_training_arg and kwargs.get("training") is None:
            kwargs = {**kwargs, "training": training}
        if is_transparent(layer) and _can_replay(layer, args, kwargs):
            return self._replay(layer, args[0], (*around, layer), kwargs.get("training"))
        return self.copy(layer, around)(*args, **kwargs)

    def copy(self, layer: layers.Layer, around: tuple[layers.Layer, ...] = ()) -> layers.Layer:
        if id(layer) not in self.copies:
            name = self._name(layer, around)
            self.copies[id(layer)] = (layer, copy_layer(layer, name, self._changes(layer)))
            within = tuple((model.name, layer_type(model)) for model in around)
            self.original_of[name] = OriginalLayer(layer.name, layer_type(layer), within)
        return self.copies[id(layer)][1]

    def _changes(self, layer: layers.Layer) -> dict[str, object]:
        if not isinstance(layer, layers.InputLayer) or layer.name not in self._shapes:
            return {}
        return {"batch_input_shape": (None, *self._shapes[layer.name])}

    def _replay(
        self, model: tf_keras.Model, inputs: Nested, around: tuple[layers.Layer, ...], training: bool | None
    ) -> Nested:
        tensors: Tensors = {
            id(old): new for old, new in zip(model.inputs, model._flatten_to_reference_inputs(inputs), strict=True)
        }
        for node in nodes(model):
            if not node.is_input:
                args, kwargs = call_arguments(node, tensors)
                record_outputs(node, self.call(node, args, kwargs, around, training), tensors)
        return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], model._nested_outputs)

    def _name(self, layer: layers.Layer, around: tuple[layers.Layer, ...]) -> str:
        name = layer.name
        if around and (name in self._reserved or name in self.original_of):
            name = "_".join([*(model.name for model in around), name])
            while name in self._reserved or name in self.original_of:
                name += "_"
        return name


def _can_replay(model: tf_keras.Model, args: Args, kwargs: Kwargs) -> bool:
    """Whether a nested model hands its inputs to its layers as they are: it may add axes or convert types first."""
    if len(args) != 1 or kwargs.get("mask") is not None:
        return False
    inputs = model._flatten_to_reference_inputs(args[0])
    return len(inputs) == len(model.inputs) and all(
        new.dtype == old.dtype and new.shape.rank == old.shape.rank
        for new, old in zip(inputs, model.inputs, strict=True)
    )
