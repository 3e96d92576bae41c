"""Bidirectional(LSTM) as two LSTMs and Concatenate, so that `concatenated_lstms` can separate their scales."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.quantization.canonical.custom_layers import Slice
from tfopt.backend.quantization.canonical.lstm_scales import concatenates_lstms
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named
from tfopt.backend.types import Array, Nested

_DIRECTIONS = ("forward", "backward")


class BidirectionalLSTM(Rewrite):
    title = "computed as two LSTMs and Concatenate"

    def applies(self, site: RewriteSite) -> bool:
        return concatenates_lstms(site.layer) and not any(_is_special(node) for node in site.nodes)

    def replace(self, site: RewriteSite, inputs: tf.Tensor, **kwargs: Nested) -> tf.Tensor:
        forward, backward = (_direction(site, name)(inputs) for name in _DIRECTIONS)
        if site.layer.return_sequences:
            backward = site.make("turned", lambda name: Slice([(None, None, -1), (None, None, None)], name=name))(
                backward
            )
        return site.make("", lambda name: layers.Concatenate(name=name))([forward, backward])

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        values = {
            id(variable): value
            for name in _DIRECTIONS
            for variable, value in zip(
                _inner(site, name).weights,
                (weights[site.named(name)][part] for part in named(_inner(site, name))),
                strict=True,
            )
        }
        return [values[id(variable)] for variable in site.layer.weights]


def _inner(site: RewriteSite, direction: str) -> layers.Layer:
    return getattr(site.layer, f"{direction}_layer")


def _direction(site: RewriteSite, direction: str) -> layers.Layer:
    inner = _inner(site, direction)
    return site.make(direction, lambda name: copy_layer(inner, name), named(inner))


def _is_special(node: Node) -> bool:
    """Whether a call has an initial state, or `training=True`."""
    return len(node.keras_inputs) != 1 or any(value not in (None, False) for value in node.call_kwargs.values())
