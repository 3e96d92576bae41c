"""Inputs and outputs of a Keras file, from the model that its configuration describes."""

from __future__ import annotations

from typing import Any

import tf_keras

from tfopt.backend.models.files.contents import Contents
from tfopt.backend.models.files.loading import Loaded, built_without_weights
from tfopt.core.records.report import PortRecord
from tfopt.errors import TfoptError

Ports = tuple[list[PortRecord], list[PortRecord]]


def ports(file: Contents) -> Ports:
    """Inputs and outputs of the model of a file.

    The model is built, without its weights, where its configuration is plain Keras. Where it is not, or where Keras
    does not build it, inputs and outputs are what the configuration says: names without the shapes of the outputs.
    """
    try:
        model = built_without_weights(file)
    except TfoptError:
        model = None
    if model is None or not model.inputs:
        return _from_config(file.config)
    return (
        [_port(name, tensor) for name, tensor in zip(_names(model, "input"), model.inputs, strict=True)],
        [_port(name, tensor) for name, tensor in zip(_names(model, "output"), model.outputs, strict=True)],
    )


def _names(model: Loaded, side: str) -> list[str]:
    """Names as signatures and dicts of data have them: of the input layers, and of the layers that end the model."""
    if isinstance(model, tf_keras.Model):
        return list(getattr(model, f"{side}_names"))
    return [tensor._keras_history.operation.name for tensor in getattr(model, f"{side}s")]


def _port(name: str, tensor: Any) -> PortRecord:
    dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    return PortRecord(name=name, dtype=dtype, shape=[-1 if size is None else int(size) for size in tensor.shape])


def _from_config(config: dict[str, Any]) -> Ports:
    inner = config["config"]
    layers = (
        {layer["config"].get("name", ""): layer for layer in inner.get("layers", ())} if isinstance(inner, dict) else {}
    )
    inputs = [_described(layer["config"]) for layer in layers.values() if layer["class_name"] == "InputLayer"]
    if not inputs and layers:
        first = next(iter(layers.values()))["config"]
        inputs = [_described(first)] if "batch_input_shape" in first else []  # Keras 2.0 had no input layer there
    names = _ends(inner.get("output_layers", ())) if isinstance(inner, dict) else []
    if not names and config["class_name"].endswith("Sequential"):
        names = list(layers)[-1:]
    return inputs, [PortRecord(name=name, dtype="?", shape=None) for name in names]


def _ends(nested: object) -> list[str]:
    """Layer names of `output_layers`: `[name, node, tensor]`, or lists and dicts of such."""
    if isinstance(nested, dict):
        return [name for part in nested.values() for name in _ends(part)]
    if not isinstance(nested, list):
        return []
    if len(nested) == 3 and isinstance(nested[0], str) and all(isinstance(part, int) for part in nested[1:]):
        return [nested[0]]
    return [name for part in nested for name in _ends(part)]


def _described(config: dict[str, object]) -> PortRecord:
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if isinstance(shape, dict):  # a tuple or shape in the notation of SavedModels
        shape = shape.get("items")
    return PortRecord(
        name=str(config.get("name", "")),
        dtype=type_name(config.get("dtype")) or "float32",
        shape=[-1 if size is None else int(size) for size in shape] if isinstance(shape, list) else None,
    )


def type_name(policy: object) -> str:
    """The type that a layer computes in, from the `dtype` of its configuration: a name, or a dtype policy."""
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, dict) else None
    return policy if isinstance(policy, str) else ""
