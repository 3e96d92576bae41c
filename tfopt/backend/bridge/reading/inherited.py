"""Layers of a user's own class that inherit what they compute from a layer of Keras: `class MyConv(Conv2D)`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from tfopt.backend.bridge.reading.arguments import call_spec
from tfopt.backend.bridge.reading.graph import Call, calls_of, mask_of
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_FREE = frozenset(
    "__abstractmethods__ __annotations__ __dict__ __doc__ __firstlineno__ __init__ __module__ __qualname__ __repr__ "
    "__static_attributes__ __weakref__ _abc_impl from_config get_config".split()
)
"""What a class may define without changing what its layers compute from a configuration of Keras."""


def inherited(call: Call) -> keras.layers.Layer | None:
    """A layer of the Keras class that a user's own class is made of, with the same configuration; not built.

    Args:
        call: of the user's layer.

    Returns:
        None where the class defines more than arguments, or a mask goes through the layer. Whether the layer computes
        the same is for the caller to prove: its constructor may do anything.
    """
    layer: Any = call.operation
    base = base_class(type(layer))
    if base is None or any(mask_of(tensor) is not None for tensor in [*call.inputs, *call.outputs]):
        return None
    if len({repr(call_spec((one.args, one.kwargs), [])) for one in calls_of(layer)}) > 1:
        return None
    try:
        return guarded(lambda: base.from_config(base.get_config(layer)), f"Reading {layer.name!r}")
    except StageError:
        return None


def base_class(kind: type) -> type[keras.layers.Layer] | None:
    """The class of `keras.layers` whose computation a class inherits whole; None where there is none."""
    base = keras_class(kind)
    if base is None:
        return None
    own = kind.__mro__[: kind.__mro__.index(base)]
    changed = {name for one in own for name in vars(one) if hasattr(base, name)} - _FREE
    return None if changed else base


def keras_class(kind: type) -> type[keras.layers.Layer] | None:
    """The class of `keras.layers` that a class inherits from first; None where that is the base of all layers."""
    base: Any = next(one for one in kind.__mro__ if one.__module__.split(".")[0] == "keras")
    return base if base is not keras.layers.Layer and getattr(keras.layers, base.__name__, None) is base else None


def inherited_part(layer: Any) -> keras.layers.Layer | None:
    """The layer of Keras that `super().call(...)` in a user's own class is; it has the variables of the user's layer.

    Returns:
        None where the class of Keras has no weights, or they are not attributes of it.
    """
    base = keras_class(type(layer))
    if base is None or not layer.built:
        return None
    try:
        part: Any = guarded(lambda: base.from_config(base.get_config(layer)), f"Reading {layer.name!r}")
        guarded(lambda: part.build_from_config(layer.get_build_config()), f"Building a part of {layer.name!r}")
    except StageError:
        return None  # the user's class keeps other arguments than its class of Keras
    names = [name for name, value in vars(part).items() if isinstance(value, keras.Variable)]
    shared = {id(value): vars(layer).get(name) for name, value in vars(part).items() if name in names}
    if not shared or len(shared) != len(part.variables) or any(value is None for value in shared.values()):
        return None
    for name in names:
        vars(part)[name] = vars(layer)[name]
    for kind in ("_trainable_variables", "_non_trainable_variables"):
        vars(part)[kind][:] = [shared[id(variable)] for variable in vars(part)[kind]]
    return part


@contextmanager
def inherited_calls(layer: keras.layers.Layer, part: keras.layers.Layer | None) -> Iterator[None]:
    """While it is entered, `super().call(...)` of a user's layer calls a layer of Keras, which a graph then shows."""
    if part is None:
        yield
        return
    owner = next(base for base in type(part).__mro__ if "call" in vars(base))
    original: Any = vars(owner)["call"]

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return part(*args, **kwargs) if self is layer else original(self, *args, **kwargs)

    type.__setattr__(owner, "call", call)
    try:
        yield
    finally:
        type.__setattr__(owner, "call", original)
