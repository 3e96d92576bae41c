"""Layers of users' own classes, made again from configurations that Keras alone cannot use, or whose name is lost.

Keras trains a layer whose constructor takes no `**kwargs`, or does not hand them on. Its configuration has a name, a
dtype and more that the constructor refuses, so that Keras cannot read a file of it; or the layer that it makes has a
new name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeGuard

import keras

from tfopt.backend.bridge.custom_code import CustomCode
from tfopt.backend.bridge.reading.graph import is_own
from tfopt.backend.bridge.reading.inherited import keras_class
from tfopt.backend.types import Config, Nested

_NAME = "name_in_model"
"""Key that `with_names` adds to configurations without a name, and a `Maker` reads."""
_OF_EVERY_LAYER = ("name", "trainable", "dtype")


@contextmanager
def with_names(operation: keras.Operation) -> Iterator[None]:
    """Within the context, the configurations of a model's or layer's own layers have their names, for `made_from`."""
    layers = {id(part): part for part in _flat(operation) if is_own(part)}
    for layer in layers.values():
        # Past the tracking of attributes; the class stays as it is. Keras asks whether the method is its own.
        config = partial(_named_config, layer, layer.get_config)
        vars(layer)["get_config"] = functools.update_wrapper(config, layer.get_config)
    try:
        yield
    finally:
        for layer in layers.values():
            del vars(layer)["get_config"]


@dataclass(frozen=True)
class Maker:
    """What Keras is given in the place of an own class, to make layers of configurations.

    Args:
        made: the class.
    """

    made: type[keras.layers.Layer]

    def from_config(self, config: Config) -> keras.layers.Layer:
        """A layer, under the name that its configuration was written with."""
        given = dict(config)
        name = given.pop(_NAME, given.get("name"))
        taken = accepted(self.made, given)
        with _policy(given["dtype"] if "dtype" in given and "dtype" not in taken else None):
            layer = self.made.from_config(dict(taken))
        if name is not None:
            layer.name = name
        if "trainable" not in taken and not given.get("trainable", True):
            layer.trainable = False
        return layer


@contextmanager
def made_from(objects: Mapping[str, CustomCode]) -> Iterator[None]:
    """Within the context, Keras makes own layers by a `Maker`, and finds all other code of `objects` as it is.

    Registered code goes before any that Keras is given, so that it is registered for this time.
    """
    registered = keras.saving.get_custom_objects()
    before = {name: registered[name] for name in objects if name in registered}
    registered.update({name: Maker(code) if _is_layer_class(code) else code for name, code in objects.items()})
    try:
        yield
    finally:
        for name in objects:
            del registered[name]
        registered.update(before)


def accepted(made: type[keras.layers.Layer], config: Config) -> Config:
    """A configuration without what the constructor of an own class cannot take, though a class of Keras wrote it."""
    if made.from_config.__module__.split(".")[0] != "keras":
        return config
    parameters = inspect.signature(made.__init__).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return config
    # What the class itself writes must be taken, or Keras says what is wrong.
    all_of_keras = keras_class(made) is not None or made.get_config.__module__.split(".")[0] == "keras"
    return {
        key: value for key, value in config.items() if key in parameters or not (all_of_keras or key in _OF_EVERY_LAYER)
    }


def readable(config: Nested, objects: Mapping[str, CustomCode]) -> Nested:
    """A configuration of a model that Keras can read: without what constructors cannot take.

    Args:
        config: as written by Keras.
        objects: the own classes by name and registered name.
    """
    if isinstance(config, list | tuple):
        return [readable(part, objects) for part in config]
    if not isinstance(config, dict):
        return config
    parts = {key: readable(value, objects) for key, value in config.items()}
    code = objects.get(parts.get("registered_name") or parts.get("class_name") or "")
    if _is_layer_class(code) and isinstance(parts.get("config"), dict):
        parts["config"] = accepted(code, parts["config"])
    return parts


def _flat(operation: keras.Operation) -> Iterator[keras.Operation]:
    yield from operation._flatten_layers() if isinstance(operation, keras.layers.Layer) else [operation]


def _named_config(layer: keras.Operation, config: Callable[[], Config]) -> Config:
    written = config()
    return written if "name" in written else {**written, _NAME: layer.name}


def _is_layer_class(code: CustomCode | None) -> TypeGuard[type[keras.layers.Layer]]:
    return isinstance(code, type) and issubclass(code, keras.layers.Layer) and not issubclass(code, keras.Model)


@contextmanager
def _policy(dtype: Nested) -> Iterator[None]:
    """The global policy, under which a constructor that takes no dtype makes its layers."""
    if dtype is None:
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(keras.dtype_policies.get(dtype))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
