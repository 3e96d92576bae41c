"""Layers of KerasHub that cannot be made again from their configuration (0.32).

LlamaTransformerDecoder names an attribute that it does not have; Gemma's RMSNormalization has no `get_config`, and is
made with a dtype policy that Keras cannot write down for it; what the decoders of GPT-NeoX and Qwen 3 write down, their
constructors do not take.
"""

from __future__ import annotations

import inspect

import keras

__all__ = ["mend_configurations"]


def mend_configurations(model: keras.Model) -> None:
    """Gives the classes of a model's layers that cannot be made again a `get_config` of their arguments.

    Each argument of their constructors has to be an attribute of the same name, with or without an underscore; a class
    of which this is not true stays as it is.

    Args:
        model: of KerasHub.
    """
    for layer in model._flatten_layers():
        kind = type(layer)
        if not kind.__module__.startswith("keras_hub.") or isinstance(layer, keras.Model):
            continue
        try:
            kind.from_config(layer.get_config())
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            if all(_attribute(layer, name) for name in _arguments(kind)):
                kind.get_config = _configuration


def _configuration(layer: keras.layers.Layer) -> dict[str, object]:
    arguments = {name: vars(layer)[_attribute(layer, name)] for name in _arguments(type(layer))}
    written = {name: _plain(name, value) for name, value in arguments.items()}
    return {**keras.layers.Layer.get_config(layer), **written}


def _arguments(kind: type) -> list[str]:
    constructor = next(vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base))
    parameters = inspect.signature(constructor).parameters.values()
    return [each.name for each in parameters if each.kind == each.POSITIONAL_OR_KEYWORD and each.name != "self"]


def _attribute(layer: keras.layers.Layer, argument: str) -> str:
    """The attribute that holds an argument; empty where there is none."""
    return next((name for name in (argument, f"_{argument}") if name in vars(layer)), "")


def _plain(name: str, value: object) -> object:
    if name.endswith("activation"):
        return keras.activations.serialize(value)
    return keras.initializers.serialize(value) if name.endswith("initializer") else value
