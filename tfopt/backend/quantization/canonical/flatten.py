"""Nested models taken apart: one functional model with all layers in it.

tfmot refuses nested models (`Quantizing a keras Model inside another keras Model is not supported.`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Functional
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state, readable
from tfopt.backend.quantization.canonical.replay import Tensors, arguments, keep, nodes, rebuilt

Path = tuple[str, ...]
"""Names of the nested models around a layer, from the outside in, and its own."""


@dataclass(frozen=True)
class Origin:
    """The layer of the original model behind a layer of the flat one.

    Args:
        name: its Keras name.
        kind: its type, such as Conv2D.
        within: name and type of the nested models around it, from the outside in.
    """

    name: str
    kind: str
    within: tuple[tuple[str, str], ...] = ()

    @property
    def answers_to(self) -> tuple[tuple[str, str], ...]:
        """Name and type of all that a rule may speak of to mean this layer."""
        return ((self.name, self.kind), *self.within)


@dataclass(frozen=True)
class Flat:
    """A flat copy of a model.

    Args:
        model: functional, without nested models.
        origins: where each of its layers comes from.
        paths: name in the flat model of each original layer, by all its paths.
        tensors: the flat model's tensors, by the identity of the original's.
    """

    model: tf_keras.Model
    origins: Mapping[str, Origin]
    paths: Mapping[Path, str]
    tensors: Tensors


def walk(model: tf_keras.Model, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All layers of a model with their paths; a nested model that can be taken apart is replaced by its layers."""
    for layer in model.layers:
        if is_transparent(layer):
            yield from walk(layer, (*path, layer.name))
        else:
            yield (*path, layer.name), layer


def is_transparent(layer: Any) -> bool:
    """Whether a layer is a model that does nothing but call its layers."""
    return getattr(layer, "_is_graph_network", False) and type(layer).call in (
        Functional.call,
        tf_keras.Sequential.call,
    )


def flatten(model: tf_keras.Model) -> Flat:
    """A flat copy of a functional model or built Sequential; the original is not changed.

    A layer keeps its name where that is unique; else the names of the models around it go in front. A layer that is
    shared, or in a nested model called twice, is shared in the copy. `training=False` at the call of a nested model is
    handed on to its layers.

    Raises:
        StageError: a layer does not say how it is constructed.
    """
    flattener = _Flattener(model)
    with readable(model):
        flat, tensors = rebuilt(model, flattener.call, flattener.copy)
        for layer, copy in flattener.copies.values():
            copy_state(layer, copy)
    names = {key: copy.name for key, (_, copy) in flattener.copies.items()}
    paths = {path: names[id(layer)] for path, layer in walk(model) if id(layer) in names}
    return Flat(flat, flattener.origins, paths, tensors)


class _Flattener:
    """Copies each layer once, however often and however deep it is called.

    Args:
        model: the outermost model.
    """

    def __init__(self, model: tf_keras.Model) -> None:
        self.copies: dict[int, tuple[Any, Any]] = {}
        self.origins: dict[str, Origin] = {}
        self._reserved = {node.layer.name for node in nodes(model) if not is_transparent(node.layer)}

    def call(
        self,
        node: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        around: tuple[Any, ...] = (),
        training: bool | None = None,
    ) -> Any:
        layer = node.layer
        if training is not None and layer._expects_training_arg and kwargs.get("training") is None:
            kwargs = {**kwargs, "training": training}
        if is_transparent(layer) and _fits(layer, args, kwargs):
            return self._replay(layer, args[0], (*around, layer), kwargs.get("training"))
        return self.copy(layer, around)(*args, **kwargs)

    def copy(self, layer: Any, around: tuple[Any, ...] = ()) -> Any:
        if id(layer) not in self.copies:
            name = self._name(layer, around)
            self.copies[id(layer)] = (layer, copy_layer(layer, name))
            within = tuple((model.name, type(model).__name__) for model in around)
            self.origins[name] = Origin(layer.name, type(layer).__name__, within)
        return self.copies[id(layer)][1]

    def _replay(self, model: tf_keras.Model, inputs: Any, around: tuple[Any, ...], training: bool | None) -> Any:
        given = model._flatten_to_reference_inputs(inputs)
        tensors: Tensors = {id(old): new for old, new in zip(model.inputs, given, strict=True)}
        for node in nodes(model):
            if not node.is_input:
                args, kwargs = arguments(node, tensors)
                keep(node, self.call(node, args, kwargs, around, training), tensors)
        return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], model._nested_outputs)

    def _name(self, layer: Any, around: tuple[Any, ...]) -> str:
        name = layer.name
        if around and (name in self._reserved or name in self.origins):
            name = "_".join([*(model.name for model in around), name])
            while name in self._reserved or name in self.origins:
                name += "_"
        return name


def _fits(model: tf_keras.Model, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a nested model is called with what its layers get: itself, it would add axes or convert types."""
    if len(args) != 1 or kwargs.get("mask") is not None:
        return False
    given = model._flatten_to_reference_inputs(args[0])
    return len(given) == len(model.inputs) and all(
        new.dtype == old.dtype and new.shape.rank == old.shape.rank
        for new, old in zip(given, model.inputs, strict=True)
    )
