"""The arguments of a call as JSON, with numbered places where its tensors go.

Keras 3 calls layers and operations with any structure of tensors and constants; a tf_keras layer is called with a list
of tensors. The specification says how the list becomes the structure again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import keras

from tfopt.backend.types import Nested

CallSpec: TypeAlias = dict[str, Any]
"""Arguments as JSON: one key, `tensor`, `dict`, `list`, `tuple` or `constant`, and what belongs to it."""


def call_spec(value: Nested, tensors: list[keras.KerasTensor]) -> CallSpec:
    """The specification of a structure; appends its tensors to `tensors` in the order of their numbers.

    Raises:
        TypeError, ValueError: a constant that Keras cannot write down.
    """
    if isinstance(value, keras.KerasTensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, dict):
        # In the order of `keras.tree.flatten`.
        return {"dict": {key: call_spec(value[key], tensors) for key in sorted(value)}}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [call_spec(part, tensors) for part in value]}
    return {"constant": keras.saving.serialize_keras_object(value)}


def fill(spec: CallSpec, tensors: Sequence[object]) -> Nested:
    """The structure that a specification describes, with these tensors, or what stands in their place."""
    ((kind, value),) = spec.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":
        return {key: fill(part, tensors) for key, part in value.items()}
    if kind == "constant":
        return keras.saving.deserialize_keras_object(value, safe_mode=True)
    parts = [fill(part, tensors) for part in value]
    return parts if kind == "list" else tuple(parts)
