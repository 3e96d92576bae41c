"""Copies of layers and models that share no variable with the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import tf_keras
from tf_keras.utils import custom_object_scope

from tfopt.backend.compat.keras_saving import SafeModeScope
from tfopt.backend.graph.layers import all_layers, layer_type
from tfopt.backend.types import Array
from tfopt.errors import StageError


@contextmanager
def readable(model: tf_keras.Model) -> Iterator[None]:
    """Lets tf_keras rebuild every layer of a model that is already in memory: custom classes and Lambda layers too."""
    own_classes = {
        type(layer).__name__: type(layer)
        for layer in all_layers(model)
        if not type(layer).__module__.startswith("tf_keras.")
    }
    with SafeModeScope(safe_mode=False), custom_object_scope(own_classes):
        yield


def copy_model(model: tf_keras.Model) -> tf_keras.Model:
    """A model of the same kind, names and weights that shares no variable with the original."""
    try:
        with readable(model):
            copy = tf_keras.models.clone_model(model)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise StageError(
            f"The model {model.name!r} cannot be cloned, which quantization-aware training needs: {error}",
            "Give each custom layer a get_config() that returns the arguments of its constructor.",
            code="invalid_model",
        ) from error
    copy.set_weights(model.get_weights())
    return copy


def copy_layer(
    layer: tf_keras.layers.Layer,
    name: str,
    changes: Mapping[str, object] | None = None,
    kind: type[tf_keras.layers.Layer] | None = None,
) -> tf_keras.layers.Layer:
    """A copy of a layer that is not built yet and computes in the precision of its weights.

    tfmot's roundings raise TypeError on the float16 values of mixed precision.

    Args:
        layer: any layer with a usable `get_config`.
        name: of the copy.
        changes: keys of its configuration with other values.
        kind: class of the copy, where it is a different one with the same weights.

    Raises:
        StageError: the layer has no usable `get_config`.
    """
    try:
        config = layer.get_config()
        if "name" not in config:
            raise TypeError("it has arguments, but no get_config() of its own")
        config |= {**(changes or {}), "name": name}
        if layer.compute_dtype != layer.dtype:
            config["dtype"] = layer.dtype
        return (kind or type(layer)).from_config(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise StageError(
            f"The layer {layer.name!r} ({layer_type(layer)}) cannot be cloned, which quantization-aware training "
            f"needs: {error}.",
            "Give it a get_config() that returns super().get_config() and the arguments of its constructor.",
            code="invalid_model",
        ) from error


def copy_state(
    layer: tf_keras.layers.Layer, copy: tf_keras.layers.Layer, weights: Sequence[Array] | None = None
) -> None:
    """Copies the weights of a layer, or `weights`, and the statistics of a Normalization, to its built copy."""
    copy.set_weights(layer.get_weights() if weights is None else weights)
    if isinstance(layer, tf_keras.layers.Normalization):
        copy.finalize_state()
