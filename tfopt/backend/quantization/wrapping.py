"""Putting tfmot's wrappers around a float model, and taking them off again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tf_keras
from tensorflow_model_optimization.quantization.keras import (
    QuantizeWrapper,
    quantize_annotate_layer,
    quantize_apply,
)
from tf_keras.src.saving.serialization_lib import SafeModeScope
from tf_keras.utils import custom_object_scope

from tfopt.backend.layer_graph import Graph
from tfopt.backend.quantization.annotation import annotated
from tfopt.backend.quantization.preserving import Preserve, hold_zeros
from tfopt.backend.quantization.quantizers import InputQuantizer
from tfopt.backend.quantization.registry import EightBitRegistry
from tfopt.backend.quantization.scheme import EightBitScheme
from tfopt.backend.quantization.transforms import depthwise_name, pointwise_name
from tfopt.core.quantization import Quantization
from tfopt.errors import StageError

_PREFIX = "quant_"


def wrap(model: tf_keras.Model, quantization: Quantization, preserve: Preserve) -> tf_keras.Model:
    """Builds the model that simulates 8 bits; ranges are not set yet.

    The same model, rules and `preserve` always give the same wrappers, with the same names.

    Args:
        model: float model, built; it is not changed.
        quantization: which layers are left out.
        preserve: what the weights must not lose; zeros and equal values are taken from `model`.

    Raises:
        StageError: the model cannot be cloned, or no layer can be simulated.
    """
    names = annotated(Graph(model), quantization.layers)
    if not names:
        raise StageError(
            f"No layer of the model {model.name!r} can be simulated in 8 bits: every layer is skipped by a rule or of "
            "a type that is not supported.",
            "Leave the qat stage out; the int8 export quantizes after training.",
        )
    with _readable(model):
        copy = _in_float32(copy_model(functional(model)))
        _check_configs(copy)
        marked = tf_keras.models.clone_model(
            copy, clone_function=lambda layer: quantize_annotate_layer(layer) if layer.name in names else layer
        )
        registry = EightBitRegistry(preserve, frozenset(names))
        wrapped = quantize_apply(marked, EightBitScheme(registry), quantized_layer_name_prefix=_PREFIX)
    _freeze(wrapped)
    if preserve.sparsity:
        for layer in wrapped.layers:
            if not isinstance(layer, QuantizeWrapper):
                hold_zeros(layer.trainable_weights)
    return wrapped


def strip(wrapped: tf_keras.Model, model: tf_keras.Model) -> tf_keras.Model:
    """A plain model with the weights of a wrapped one.

    Args:
        wrapped: what `wrap` made of `model`, and perhaps trained since.
        model: architecture and layer names of the result; it is not changed.

    Returns:
        A new model. Weights that are held at zero are zero in it.
    """
    with _readable(model):
        plain = copy_model(model)
    for layer in plain.layers:
        _take_weights(layer, wrapped)
    return plain


def copy_model(model: tf_keras.Model) -> tf_keras.Model:
    """A model of the same kind, names and weights that shares no variable with the original."""
    try:
        copy = tf_keras.models.clone_model(model)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise StageError(
            f"The model {model.name!r} cannot be cloned, which quantization-aware training needs: {error}",
            "Give each custom layer a get_config() that returns the arguments of its constructor.",
        ) from error
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(model: tf_keras.Model) -> tf_keras.Model:
    """The same model computing in float32: tfmot's roundings raise TypeError on the halves of mixed precision."""
    if all(layer.compute_dtype == layer.dtype for layer in model.layers):
        return model

    def rebuilt(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": layer.dtype})

    whole = tf_keras.models.clone_model(model, clone_function=rebuilt)
    whole.set_weights(model.get_weights())
    return whole


def _check_configs(model: tf_keras.Model) -> None:
    """tfmot rebuilds layers from their configs, and finds them again by the name in it."""
    for layer in model.layers:
        if "name" not in layer.get_config():
            raise StageError(
                f"The layer {layer.name!r} ({type(layer).__name__}) cannot be cloned, which quantization-aware "
                "training needs: it has arguments, but no get_config() of its own.",
                "Give it a get_config() that returns super().get_config() and the arguments of its constructor.",
            )


def functional(model: tf_keras.Model) -> tf_keras.Model:
    """The same layers as a functional model, so that there is one kind of model to wrap."""
    if isinstance(model, tf_keras.Sequential):
        return tf_keras.Model(model.input, model.output, name=model.name)
    return model


def wrappers(model: tf_keras.Model) -> Iterator[QuantizeWrapper]:
    """All tfmot wrappers of a model."""
    return (layer for layer in model.layers if isinstance(layer, QuantizeWrapper))


def leaf(variable: Any) -> str:
    """Name of a variable within its layer: `kernel` for `conv/kernel:0`."""
    return variable.name.split("/")[-1].split(":")[0]


def _freeze(wrapped: tf_keras.Model) -> None:
    """Keeps frozen layers frozen.

    tfmot's wrapper takes the kernel into its own list of trainable weights and so trains the kernel of a layer with
    `trainable=False` (measured: changes of up to 0.012); setting `trainable` on the wrapper does not help.
    """
    for wrapper in wrappers(wrapped):
        if not wrapper.layer.trainable:
            wrapper._non_trainable_weights.extend(wrapper._trainable_weights)
            wrapper._trainable_weights.clear()


def _take_weights(layer: tf_keras.layers.Layer, wrapped: tf_keras.Model) -> None:
    found = {candidate.name: candidate for candidate in wrapped.layers}
    if layer.name in found:
        layer.set_weights(found[layer.name].get_weights())
        return
    if isinstance(layer, tf_keras.layers.SeparableConv2D):
        halves = [found[_PREFIX + name(layer.name)] for name in (depthwise_name, pointwise_name)]
        values = {"depthwise_kernel": _values(halves[0])["depthwise_kernel"]}
        pointwise = _values(halves[1])
        values |= {"pointwise_kernel": pointwise["kernel"], "bias": pointwise.get("bias")}
    else:
        values = _values(found[_PREFIX + layer.name])
    for variable in layer.weights:
        variable.assign(values[leaf(variable)])


def _values(wrapper: QuantizeWrapper) -> dict[str, Any]:
    """Weights of a wrapped layer by name, with the zeros that its quantizer holds."""
    values = {leaf(variable): variable.numpy() for variable in wrapper.weights}
    for variable, _, made in wrapper._weight_vars:
        if "sparsity_mask" in made:
            values[leaf(variable)] = values[leaf(variable)] * made["sparsity_mask"].numpy()
    return values


@contextmanager
def _readable(model: tf_keras.Model) -> Iterator[None]:
    """Lets tf_keras rebuild every layer of a model that is already in memory: custom classes and Lambda layers too."""
    own_classes = {
        type(layer).__name__: type(layer)
        for layer in model._flatten_layers(include_self=False)
        if not type(layer).__module__.startswith("tf_keras.")
    }
    with SafeModeScope(safe_mode=False), custom_object_scope(own_classes | {"InputQuantizer": InputQuantizer}):
        yield
