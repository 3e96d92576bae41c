"""What an activation function of the user's own computes: which of its operations TFLite has in integers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.graph.connections import function_name

_NO_KERNEL: Mapping[str, str] = {"Elu": "ELU", "Erf": "ERF", "Square": "SQUARE"}
_INTEGER = frozenset(
    "AddV2 BiasAdd Const Exp Identity LeakyRelu Maximum Minimum Mul Neg NoOp Placeholder Relu Relu6 Sigmoid Softmax "
    "Sub Tanh".split()
)
"""Operations that have integer kernels for any scale, so that their result may be rounded in training."""


def float_reason_of_function(layer: layers.Layer) -> str | None:
    """Why a function of the user's own computes in float in an int8 file; None if it does not, or is unknown."""
    missing = [_NO_KERNEL[name] for name in _operations(layer) if name in _NO_KERNEL]
    return f"TFLite has no integer kernel for {missing[0]}" if missing else None


def computes_in_integers(layer: layers.Layer) -> bool:
    """Whether a layer has a function of the user's own that consists of operations with integer kernels."""
    found = _operations(layer)
    return bool(found) and _INTEGER.issuperset(found)


def _operations(layer: layers.Layer) -> tuple[str, ...]:
    function = getattr(layer, "activation", None)
    if not inspect.isfunction(function) or "." not in function_name(layer):
        return ()
    if function not in _KNOWN:
        _KNOWN[function] = _traced(function)
    return _KNOWN[function]


def _traced(function: Callable[..., object]) -> tuple[str, ...]:
    try:
        traced = tf.function(tf.autograph.experimental.do_not_convert(function))
        graph = traced.get_concrete_function(tf.TensorSpec([None, 4], tf.float32)).graph
    except Exception:  # noqa: BLE001 - a function of the user that asks for other shapes: nothing is known of it
        return ()
    return tuple(dict.fromkeys(operation.type for operation in graph.get_operations()))


_KNOWN: dict[Callable[..., object], tuple[str, ...]] = {}
