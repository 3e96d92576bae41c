"""Models in mixed precision, or in another float: noticed, and made float32 for everything that tfopt does.

tfmot's roundings, pruning masks and the converter know float32 only. A twin in float32 has the same values of weights:
those of a mixed policy are float32 already.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import overload

import keras
import numpy as np
import tf_keras

from tfopt.backend.bridge.reading.float32 import OTHER_FLOATS, dtypes, float32_policies
from tfopt.backend.bridge.reading.float32 import in_float32 as keras3_in_float32
from tfopt.backend.compat import keras_3
from tfopt.backend.graph.layers import all_layers
from tfopt.core.language.wording import counted

Policies = tuple[object, object, str, str]
"""The global policies of Keras 3 and tf_keras, and their `floatx`."""

_of_caller: ContextVar[Policies | None] = ContextVar("policies_of_caller", default=None)


@overload
def in_float32(model: tf_keras.Model) -> tf_keras.Model: ...


@overload
def in_float32(model: keras.Model) -> keras.Model: ...


def in_float32(model: keras.Model | tf_keras.Model) -> keras.Model | tf_keras.Model:
    """A model of either Keras in float32; itself where it is that already.

    Args:
        model: built; of tf_keras functional or sequential. It is not changed.

    Raises:
        StageError: a Keras 3 model cannot be copied.
    """
    if policy_of(model) is None:
        return model
    return keras3_in_float32(model) if isinstance(model, keras.Model) else _twin(model)


def policy_of(model: keras.Model | tf_keras.Model) -> str | None:
    """The most frequent policy of the layers that are not float32, e.g. `mixed_float16`; None where all are."""
    found = [name for layer in _layers(model) if (name := _policy(layer)) is not None]
    return max(sorted(set(found)), key=found.count) if found else None


def sentence(model: keras.Model | tf_keras.Model) -> str | None:
    """What the plan says about the precision of a model; None where it is float32."""
    policy = policy_of(model)
    if policy is None:
        return None
    number = sum(_policy(layer) is not None for layer in _layers(model))
    export = "of the Keras 3 model has its policies again" if isinstance(model, keras.Model) else "is float32, too"
    return (
        f"The model {model.name!r} is in {policy} ({counted(number, 'layer')}): tfopt trains, "
        f"compresses and converts it in float32, with the same values of weights; a keras export {export}."
    )


@contextmanager
def float32_globally() -> Iterator[None]:
    """New layers are float32 while the block runs, whatever the caller has set; that is back afterwards."""
    before = _policies()
    token = _of_caller.set(_of_caller.get() or before)
    _set(("float32", "float32", "float32", "float32"))
    try:
        yield
    finally:
        _of_caller.reset(token)
        _set(before)


@contextmanager
def policies_of_caller() -> Iterator[None]:
    """The policies of the caller, for code of the recipe; a policy that this code sets is gone afterwards."""
    before = _policies()
    _set(_of_caller.get() or before)
    try:
        yield
    finally:
        _set(before)


def _policies() -> Policies:
    return (
        keras.config.dtype_policy(),
        tf_keras.mixed_precision.global_policy(),
        keras.config.floatx(),
        tf_keras.backend.floatx(),
    )


def _set(policies: Policies) -> None:
    if policies == _policies():
        return
    keras.config.set_floatx(policies[2])
    tf_keras.backend.set_floatx(policies[3])
    keras.config.set_dtype_policy(policies[0])
    tf_keras.mixed_precision.set_global_policy(policies[1])


def _layers(model: keras.Model | tf_keras.Model) -> list[tf_keras.layers.Layer | keras.layers.Layer]:
    """All layers but the models that contain them, whose own policy says nothing."""
    every: Iterator[tf_keras.layers.Layer | keras.layers.Layer]
    every = keras_3.all_layers(model) if isinstance(model, keras.Model) else all_layers(model)
    return [layer for layer in every if not isinstance(layer, keras.Model | tf_keras.Model)]


def _policy(layer: tf_keras.layers.Layer | keras.layers.Layer) -> str | None:
    found = dtypes(layer) if isinstance(layer, keras.layers.Layer) else {layer.compute_dtype, layer.dtype}
    if not found & {*OTHER_FLOATS}:
        return None
    if isinstance(layer, keras.layers.InputLayer):
        return str(layer.dtype)
    policy = getattr(layer, "dtype_policy", None)
    return str(getattr(policy, "name", layer.compute_dtype))


def _twin(model: tf_keras.Model) -> tf_keras.Model:
    inputs = None
    if any(tensor.dtype.name in OTHER_FLOATS for tensor in model.inputs):
        inputs = [
            tf_keras.Input(
                batch_shape=tensor.shape,
                dtype="float32" if tensor.dtype.name in OTHER_FLOATS else tensor.dtype,
                name=name,
            )
            for tensor, name in zip(model.inputs, model.input_names, strict=True)
        ]
    twin = tf_keras.models.clone_model(model, input_tensors=inputs, clone_function=_twin_layer)
    for layer in model.layers:
        copy = twin.get_layer(layer.name)
        copy.set_weights([np.asarray(value) for value in layer.get_weights()])
        if isinstance(layer, tf_keras.layers.Normalization):
            copy.finalize_state()
    # Not through the property, which would freeze or thaw every layer inside.
    twin._trainable = model.trainable
    return twin


def _twin_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
    if isinstance(layer, tf_keras.Model):
        return _twin(layer)
    return type(layer).from_config(float32_policies(layer.get_config()))
