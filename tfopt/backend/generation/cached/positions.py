"""Layers that compute with positions: they get those of the call in place of counting from 0."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.generation.step import EitherLayer, Step


def position_embedding(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of `tfopt.backend.layers.PositionEmbedding`."""

    def call(inputs: tf.Tensor) -> tf.Tensor:
        return inputs + tf.gather(layer.embeddings, step.positions)

    return call


def takes_positions(layer: EitherLayer) -> bool:
    """Whether `call` of a layer has an argument `positions`, as the position layers of KerasHub."""
    return {"positions", "start_index"} <= inspect.signature(type(layer).call).parameters.keys()


def with_positions(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` with the positions filled in."""
    original: Callable[..., tf.Tensor] = type(layer).call

    def call(inputs: tf.Tensor, start_index: object = 0, positions: object = None, **others: object) -> tf.Tensor:
        return original(layer, inputs, positions=step.positions, **others)

    return call
