"""The tf_keras counterpart of a Keras 3 layer, for one call of it: what is called decides, too."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.layer_mapping import NoEquivalent, equivalent_layer
from tfopt.backend.bridge.mask_checks import is_masked
from tfopt.backend.bridge.reading.graph import Call
from tfopt.backend.bridge.zeroing import ZEROING, zeroes_padding

_MERGES = tuple(
    getattr(tf_keras.layers, name)
    for name in ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
)


def counterpart(
    layer: keras.layers.Layer,
    call: Call,
    inputs: list[tf.Tensor],
    convert_model: Callable[[keras.Model], tf_keras.Model],
) -> tf_keras.layers.Layer:
    """The tf_keras layer that computes the same.

    Args:
        layer: of a class of Keras.
        call: of the layer, or of one that computes what it does.
        inputs: the counterparts of the call's tensors.
        convert_model: converts a model inside a wrapper.

    Raises:
        NoEquivalent: there is none.
    """
    if isinstance(layer, keras.layers.Softmax) and "mask" in call.kwargs:
        # As an operation of a user's own attention (see `rewrites/operators/keras3_attention`).
        raise NoEquivalent("tf_keras gives padding an even weight where every score is masked")
    zeroing = zeroes_padding(layer, call.kwargs) and is_masked(call, inputs)
    converted = equivalent_layer(layer, convert_model, ZEROING if zeroing else {})
    parameters = inspect.signature(converted.call).parameters
    if isinstance(converted, _MERGES) and len({(tensor.dtype, tensor.shape.rank) for tensor in inputs}) > 1:
        raise NoEquivalent("tf_keras merges only inputs of equal dtype and rank as Keras 3 does")
    if any(key not in parameters for key in call.kwargs):
        raise NoEquivalent(f"tf_keras's {type(converted).__name__} is not called with {sorted(call.kwargs)}")
    return converted
