"""The arguments of a call as JSON, with numbered places where its tensors go.

Keras 3 calls layers and operations with any structure of tensors and constants; a tf_keras layer is called with a list
of tensors. The pattern says how the list becomes the structure again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

CallSpec = dict[str, Any]


def call_spec(value: Any, tensors: list[Any]) -> CallSpec:
    """The pattern of a structure; appends its tensors to `tensors` in the order of their numbers.

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
        return {kind: [call_spec(one, tensors) for one in value]}
    return {"constant": keras.saving.serialize_keras_object(value)}


def fill(pattern: CallSpec, tensors: Sequence[Any]) -> Any:
    """The structure that a pattern describes, with these tensors."""
    ((kind, value),) = pattern.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":
        return {key: fill(one, tensors) for key, one in value.items()}
    if kind == "constant":
        return keras.saving.deserialize_keras_object(value, safe_mode=True)
    parts = [fill(one, tensors) for one in value]
    return parts if kind == "list" else tuple(parts)
