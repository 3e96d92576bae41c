"""The outputs of a model: what they are called, and which layer makes each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.types import Array, Arrays, Nested


def output_names(model: tf_keras.Model) -> tuple[str, ...]:
    """Names of the outputs as files have them, in the order in which `tf.nest.flatten` has the outputs.

    Those of a model that returns a dict are its keys; of any other, its output layers.

    Args:
        model: functional or Sequential.
    """
    nested = getattr(model, "_nested_outputs", None)
    if isinstance(nested, Mapping) and len(nested) == len(model.outputs) > 1:
        return usable([str(key) for key in sorted(nested)])
    return usable(model.output_names)


def usable(names: Sequence[str]) -> tuple[str, ...]:
    """Names that survive a signature unchanged; TensorFlow would replace other characters silently."""
    clean = [re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names]
    clean = [name if name[:1].isalpha() else f"port_{name}" for name in clean]
    return tuple(name if clean.count(name) == 1 else f"{name}_{number}" for number, name in enumerate(clean))


def positions(found: Sequence[str], wanted: Sequence[str], known: Sequence[str]) -> tuple[int, ...]:
    """Where the outputs of a recipe are among those of another model.

    Args:
        found: names of the other model's outputs.
        wanted: those that are looked for.
        known: all of the recipe's model, in order; where the other one has as many, under names of its own, they are
            in the same order.

    Raises:
        KeyError: with the first that is missing.
    """
    if all(name in found for name in wanted):
        return tuple(found.index(name) for name in wanted)
    if len(found) == len(known):
        return tuple(known.index(name) for name in wanted)
    raise KeyError(next(name for name in wanted if name not in found))


def in_a_list(model: tf_keras.Model) -> tf_keras.Model:
    """The same model with its outputs in a list where it returns several in a dict or another nesting.

    Args:
        model: functional or Sequential; its layers are shared.
    """
    nested = getattr(model, "_nested_outputs", None)
    if len(model.outputs) < 2 or (isinstance(nested, list) and all(map(tf.is_tensor, nested))):
        return model
    return tf_keras.Model(model.inputs, list(model.outputs), name=model.name, trainable=model.trainable)


@contextmanager
def called(model: tf_keras.Model, names: Sequence[str]) -> Iterator[None]:
    """While it lasts, losses and metrics of a model have these names of its outputs, whatever its layers are called.

    Args:
        model: functional; wrapped layers have names of their own.
        names: of its outputs in their order; none where it has one.
    """
    if not names:
        yield
        return
    own = model.output_names
    model.output_names = list(names)
    try:
        yield
    finally:
        model.output_names = own


def last_layer(model: tf_keras.Model, index: int = 0) -> tf_keras.layers.Layer:
    """The layer that makes an output; a nested model is looked into.

    Args:
        model: functional or Sequential.
        index: position of the output.
    """
    layer = output_layer(model, index)
    if isinstance(layer, tf_keras.Model) and layer._is_graph_network:
        return last_layer(layer, model.outputs[index]._keras_history.tensor_index)
    return layer


def output_layer(model: tf_keras.Model, index: int = 0) -> tf_keras.layers.Layer:
    """The layer, or the nested model, that makes an output of a model.

    Args:
        model: functional or Sequential.
        index: position of the output.
    """
    return model.outputs[index]._keras_history.layer


def named(outputs: Nested, names: Sequence[str]) -> Arrays:
    """What a model returned, as arrays by name; a single one stays an array.

    Args:
        outputs: of `predict` or a call: an array, or several in any nesting.
        names: of the outputs in their order; none where the model has one.
    """
    flat: list[Array] = [np.asarray(one) for one in tf.nest.flatten(outputs)]
    if not names and len(flat) == 1:
        return flat[0]
    return dict(zip(names or [f"output {number}" for number in range(1, len(flat) + 1)], flat, strict=True))
