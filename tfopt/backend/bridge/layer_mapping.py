"""The tf_keras counterpart of a Keras 3 layer, made from its rewritten configuration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any

import keras
import tf_keras

from tfopt.backend.bridge.activations import BY_NAME, OF_KERAS_HUB
from tfopt.backend.bridge.custom_code import custom_parts
from tfopt.backend.bridge.tables import (
    ADDED_KEYS,
    DROPPED_KEYS,
    IGNORED_KEYS,
    NEVER_NATIVE,
    RENAMED_ACTIVATIONS,
    RENAMED_KEYS,
    SAME_ACTIVATIONS,
    SET_AFTERWARDS,
    UNDOCUMENTED_KEYS,
)
from tfopt.backend.types import Config

_BASE_KEYS = frozenset({"name", "trainable", "dtype", "activity_regularizer"})
_WITHOUT_DTYPE = ("TextVectorization", "StringLookup", "IntegerLookup")


class NoEquivalent(Exception):
    """A configuration that tf_keras cannot express; the reason in words."""


def equivalent_layer(
    layer: keras.layers.Layer,
    convert_model: Callable[[keras.Model], tf_keras.Model],
    instead: Mapping[str, type[tf_keras.layers.Layer]] = MappingProxyType({}),
) -> tf_keras.layers.Layer:
    """The tf_keras layer of the same class that computes the same.

    Args:
        layer: a Keras 3 layer.
        convert_model: converts a model inside a wrapper.
        instead: by name, classes to make in the place of those of tf_keras.

    Raises:
        NoEquivalent: there is none.
    """
    kind = type(layer).__name__
    if type(layer) is not getattr(keras.layers, kind, None):
        raise NoEquivalent(f"{kind} is not a layer of keras.layers")
    config = layer.get_config()
    if isinstance(layer, keras.layers.TimeDistributed) and isinstance(layer.layer, keras.Model):
        config["layer"] = convert_model(layer.layer)
    converted = _made(kind, config, instead)
    _set_vocabulary(layer, converted)
    return converted


def _made(
    kind: str, config: Config, instead: Mapping[str, type[tf_keras.layers.Layer]] = MappingProxyType({})
) -> tf_keras.layers.Layer:
    native = getattr(tf_keras.layers, kind, None)
    if native is None:
        raise NoEquivalent(f"tf_keras has no {kind}")
    if kind in NEVER_NATIVE:
        raise NoEquivalent(NEVER_NATIVE[kind])
    return instead.get(kind, native)(**native_config(kind, config))


def native_config(kind: str, config: Config) -> dict[str, object]:
    """The arguments of the tf_keras layer for a Keras 3 configuration; inner layers as objects.

    Raises:
        NoEquivalent: a key has a value that tf_keras cannot express.
    """
    accepted = _parameters(getattr(tf_keras.layers, kind)) | _BASE_KEYS | UNDOCUMENTED_KEYS.get(kind, frozenset())
    defaults = inspect.signature(getattr(keras.layers, kind).__init__).parameters
    arguments: dict[str, object] = dict(ADDED_KEYS.get(kind, {}))
    for key, value in config.items():
        name = RENAMED_KEYS.get(kind, {}).get(key, key)
        if key.endswith("_initializer") or key in SET_AFTERWARDS or key in IGNORED_KEYS:
            continue
        if key == "dtype" and kind in _WITHOUT_DTYPE:
            continue
        if name in accepted:
            arguments[name] = _value(key, value)
        elif not (
            (key in DROPPED_KEYS and value == DROPPED_KEYS[key])
            or (key in defaults and value == defaults[key].default)
            or key == "seed"
            or key == "data_format"
        ):
            raise NoEquivalent(f"tf_keras's {kind} has no {key}, and this one is {value!r}")
    if arguments.get("bin_boundaries") is not None:
        arguments.pop("num_bins", None)
    return arguments


def _value(key: str, value: Any) -> Any:
    if key == "dtype":
        return _policy_name(value)
    if key == "seed":
        return value["config"]["seed"] if isinstance(value, dict) else value
    if key.endswith("regularizer"):
        return _part(value, tf_keras.regularizers, key)
    if key.endswith("constraint"):
        return _part(value, tf_keras.constraints, key)
    if key.endswith("activation"):
        return _activation(value)
    if key == "cells":
        return [_inner(cell) for cell in value]
    if key in ("layer", "backward_layer", "cell") and isinstance(value, dict):
        return _inner(value)
    if isinstance(value, dict) and "class_name" in value:
        raise NoEquivalent(f"{key} is a {value['class_name']}")
    return value


def _policy_name(value: Any) -> str | None:
    """The name of a dtype policy, which is the same on both sides."""
    if not isinstance(value, dict):
        return value
    if value["class_name"] != "DTypePolicy":
        raise NoEquivalent(f"tf_keras has no {value['class_name']}")
    return value["config"]["name"]


def _part(value: Any, module: Any, key: str) -> Any:
    """A regularizer or constraint: both libraries have the same ones with the same arguments."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    own: Any = _own_code(value)
    if own is not None:
        # A user's own is called on a variable by both libraries alike.
        return own if isinstance(own, FunctionType) else own.from_config(value["config"])
    native = getattr(module, value["class_name"], None)
    if native is None or not str(value.get("module")).startswith("keras."):
        raise NoEquivalent(f"tf_keras has no {key} {value['class_name']}")
    return native(**value["config"])


def _activation(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(own := _own_code(value), FunctionType):
        known = OF_KERAS_HUB.get(own.__name__) if own.__module__.startswith("keras_hub.") else None
        return known or own
    name = value["config"] if isinstance(value, dict) and value.get("class_name") == "function" else value
    builtin = isinstance(value, str) or value.get("module") in ("builtins", "keras.activations")
    if not isinstance(name, str) or not builtin:
        raise NoEquivalent(f"tf_keras has no activation {value!r}")
    if name in SAME_ACTIVATIONS:
        return RENAMED_ACTIVATIONS.get(name, name)
    if name in BY_NAME:
        return BY_NAME[name]
    raise NoEquivalent(f"tf_keras has no activation {name!r}")


def _own_code(value: object) -> object:
    """The class or function of a user that a configuration names; None where it is of Keras, or a layer.

    Its code is called with tensors of TensorFlow, in tf_keras as in Keras 3.
    """
    if isinstance(value, str):
        found = keras.saving.get_registered_object(value)
        if not isinstance(found, FunctionType):
            return None
        return tf_keras.saving.register_keras_serializable(package=found.__module__)(found)
    parts = list(custom_parts(value)) if isinstance(value, dict) else []
    if len(parts) != 1 or "." in getattr(parts[0][2], "__qualname__", "."):
        return None
    code = parts[0][2]
    if code is None or (isinstance(code, type) and issubclass(code, keras.layers.Layer)):
        return None
    # tf_keras writes its registered name into configurations, and finds it by that.
    return tf_keras.saving.register_keras_serializable(package=code.__module__)(code)


def _inner(config: Config) -> tf_keras.layers.Layer:
    if not str(config.get("module")).startswith("keras."):
        raise NoEquivalent(f"{config.get('class_name')} is not a layer of keras.layers")
    return _made(config["class_name"], config["config"])


def _parameters(native: type) -> set[str]:
    """Arguments of a class and, where it hands on `**kwargs`, of its ancestors."""
    names: set[str] = set()
    for base in native.__mro__:
        if base is tf_keras.layers.Layer:
            break
        if "__init__" in vars(base):
            names |= set(inspect.signature(vars(base)["__init__"]).parameters) - {"self", "args", "kwargs"}
    return names


def _set_vocabulary(layer: keras.layers.Layer, converted: tf_keras.layers.Layer) -> None:
    if not hasattr(converted, "set_vocabulary") or not layer.get_vocabulary(include_special_tokens=False):
        return
    weights = layer.get_config().get("idf_weights")
    if weights is None:
        converted.set_vocabulary(layer.get_vocabulary(include_special_tokens=False))
    else:
        converted.set_vocabulary(layer.get_vocabulary(include_special_tokens=False), idf_weights=weights)
