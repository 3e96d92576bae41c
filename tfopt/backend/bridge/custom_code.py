"""Classes and functions from outside Keras in a configuration of Keras 3: found among what is loaded already."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import TypeAlias

import keras

from tfopt.backend.types import Nested

CustomCode: TypeAlias = type | FunctionType
"""A class or function from outside Keras."""


def custom_parts(config: Nested) -> Iterator[tuple[str, str, CustomCode | None]]:
    """Every class and function of a configuration from outside Keras: name, registered name, code (None: not found)."""
    if isinstance(config, list | tuple):
        for part in config:
            yield from custom_parts(part)
        return
    if not isinstance(config, dict):
        return
    module, name = config.get("module"), config.get("class_name")
    if isinstance(name, str) and "config" in config and "registered_name" in config:
        if name == "function":
            name = config["config"]
        registered = config["registered_name"] or name
        builtin = module == "builtins" or str(module).split(".")[0] == "keras"
        if (
            isinstance(name, str)
            and module == "builtins"
            and (code := keras.saving.get_registered_object(name)) is not None
        ):
            # A registered function: Keras writes its registered name alone.
            yield name, name, code
        if isinstance(name, str) and not builtin and not name.startswith("__"):
            # By its module first: two recipes in one process may register different classes under one name.
            code = getattr(sys.modules.get(str(module)), name, None)
            yield name, registered, code if callable(code) else keras.saving.get_registered_object(registered)
    for part in config.values():
        yield from custom_parts(part)


def unregistered_functions(config: Nested) -> Iterator[str]:
    """Functions that cannot be found again by a configuration: lambdas, and those neither of Keras nor registered."""
    if isinstance(config, list | tuple):
        for part in config:
            yield from unregistered_functions(part)
        return
    if not isinstance(config, dict):
        return
    kind, name = config.get("class_name"), config.get("config")
    if kind == "__lambda__":
        yield "a lambda"
    elif kind == "function" and config.get("module") == "builtins" and isinstance(name, str):
        known = keras.saving.get_registered_object(name) is not None or hasattr(keras.activations, name)
        if not known:
            yield f"the function {name!r}, which is not registered"
    for part in config.values():
        yield from unregistered_functions(part)


def prefer(objects: Mapping[str, CustomCode]) -> None:
    """Registers code again where another of its name has taken its place: Keras looks there before anywhere else.

    Two recipes in one process may each register a class of one name.

    Args:
        objects: classes and functions by name and registered name.
    """
    registered = keras.saving.get_custom_objects()
    registered.update({name: code for name, code in objects.items() if name in registered and code is not None})
