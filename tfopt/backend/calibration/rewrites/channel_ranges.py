"""The largest magnitude of each channel of activations, over examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.calibration.rewrites.chains import Chain
from tfopt.backend.graph.layers import nodes
from tfopt.backend.types import Array, Nested

_BATCH = 32


def with_nested(model: tf_keras.Model) -> Iterator[tf_keras.Model]:
    """A functional model and the functional ones nested in it, each once, the outer one first."""
    seen: set[int] = set()

    def walk(inside: tf_keras.Model) -> Iterator[tf_keras.Model]:
        if id(inside) in seen:
            return
        seen.add(id(inside))
        yield inside
        for node in nodes(inside):
            if _is_graph(node.layer):
                yield from walk(node.layer)

    return walk(model)


def largest_in_channels(model: tf_keras.Model, chains: Sequence[Chain], inputs: Nested) -> list[Array]:
    """The largest magnitude of each channel of the activation of each chain, (channels,).

    Args:
        model: a functional model; the chains can be in models nested in it.
        chains: any.
        inputs: examples as the model takes them.
    """
    found: dict[int, Array] = {}
    _measure(model, chains, inputs, found)
    return [found.get(position, np.zeros(chain.channels)) for position, chain in enumerate(chains)]


def _measure(model: tf_keras.Model, chains: Sequence[Chain], inputs: Nested, found: dict[int, Array]) -> None:
    own = {id(layer) for layer in model.layers}
    here = [at for at, chain in enumerate(chains) if id(chain.tensor._keras_history.layer) in own]
    nested = [(node, node.layer) for node in nodes(model) if _is_graph(node.layer)]
    wanted = [chains[at].tensor for at in here]
    for batch in _run(model, wanted, inputs):
        for at, values in zip(here, batch, strict=True):
            peaks = np.abs(values).reshape(-1, chains[at].channels).max(axis=0)
            found[at] = np.maximum(found.get(at, 0), peaks)
    for node, inside in nested:
        batches = [*_run(model, node.keras_inputs, inputs)]
        arrays = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        _measure(inside, chains, arrays[0] if len(arrays) == 1 else arrays, found)


def _is_graph(layer: tf_keras.layers.Layer) -> TypeGuard[tf_keras.Model]:
    """Whether a layer is a model whose connections are known."""
    return isinstance(layer, tf_keras.Model) and bool(getattr(layer, "_is_graph_network", False))


def _run(model: tf_keras.Model, tensors: Sequence[tf.Tensor], inputs: Nested) -> Iterator[list[Array]]:
    """Values of tensors inside a model, batch by batch."""
    if not tensors:
        return
    part = tf_keras.Model(model.inputs, [*tensors])
    count = len(tf.nest.flatten(inputs)[0])
    for start in range(0, count, _BATCH):
        few = tf.nest.map_structure(lambda values, start=start: values[start : start + _BATCH], inputs)
        yield [np.asarray(value) for value in tf.nest.flatten(part(few, training=False))]
