"""Attention and AdditiveAttention, with masks as tensors or without, as products, Softmax and what is between them.

As one layer, only its result is rounded in training, while the file rounds scores and weights, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.quantization.canonical.custom_layers import HeadContext, HeadScores, InsertAxes
from tfopt.backend.quantization.canonical.mask_layers import (
    AttentionMask,
    CausalMask,
    MaskedAdditiveAttention,
    MaskedAttention,
    MaskedScores,
    ZeroPadded,
)
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array, Nested

_PRODUCTS = (layers.Attention, MaskedAttention)
_SUMS = (layers.AdditiveAttention, MaskedAdditiveAttention)
_ROLES = ("query", "value", "key")


class SingleHeadAttention(Rewrite):
    title = "attention computed as products and Softmax"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        if type(layer) not in (*_PRODUCTS, *_SUMS) or getattr(layer, "causal", False):
            return False
        floats = [tensor for tensor in site.inputs if tensor.dtype.is_floating]
        return (
            all(len(node.keras_inputs) == len(_roles(layer, node.keras_inputs)) for node in site.nodes)
            and all(tensor.shape.rank == 3 and None not in tensor.shape[1:] for tensor in floats)
            and not any(_is_special(node) for node in site.nodes)
            and ((layer.score_mode == "dot" and not layer.use_scale) if type(layer) in _PRODUCTS else layer.use_scale)
        )

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor], **kwargs: Nested) -> tf.Tensor:
        layer = site.layer
        given = _given(layer, inputs)
        query, value = given["query"], given["value"]
        key = given.get("key", value)
        scores = _products(site, query, key) if type(layer) in _PRODUCTS else _sums(site, query, key)
        masks = [("value", given["value_mask"])] if "value_mask" in given else []
        if getattr(layer, "hides_later", False):
            masks.append(("scores", site.make("causal", lambda name: CausalMask(name=name))([query, value])))
        if masks:
            roles, parts = [role for role, _ in masks], [mask for _, mask in masks]
            kept = site.make("mask", lambda name: AttentionMask(roles, name=name))(parts)
            scores = site.make("masked", lambda name: MaskedScores(name=name))([scores, kept])
        weights = site.make("softmax", lambda name: layers.Softmax(name=name))(scores)
        if layer.dropout:
            weights = site.make("dropout", lambda name: layers.Dropout(layer.dropout, name=name))(weights)
        padded = "query_mask" in given
        context = site.make("context" if padded else "", lambda name: HeadContext(name=name))([weights, value])
        if not padded:
            return context
        return site.make("", lambda name: ZeroPadded(name=name))([context, given["query_mask"]])

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return [weights[site.named("summed")]["kernel"].reshape(-1)]


def _given(layer: layers.Layer, inputs: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
    """The inputs of a call by what they are."""
    return dict(zip(_roles(layer, inputs), inputs, strict=True))


def _roles(layer: layers.Layer, inputs: Sequence[tf.Tensor]) -> Sequence[str]:
    return getattr(layer, "roles", None) or _ROLES[: len(inputs)]


def _products(site: RewriteSite, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    return site.make("scores", lambda name: HeadScores(1.0, name=name))([query, key])


def _sums(site: RewriteSite, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """The scores of Bahdanau et al. (2015, arXiv:1409.0473): the weighted sum of tanh(query + key)."""
    (width, positions), scale = (query.shape[-1], key.shape[1]), site.layer.scale.numpy()
    rows = site.make("rows", lambda name: layers.Reshape((-1, 1, width), name=name))(query)
    columns = site.make("columns", lambda name: InsertAxes(name=name))(key)
    both = site.make("both", lambda name: layers.Add(name=name))([rows, columns])
    bent = site.make("tanh", lambda name: layers.Activation("tanh", name=name))(both)
    summed = site.make("summed", lambda name: layers.Dense(1, use_bias=False, name=name), {"kernel": scale[:, None]})
    # A shared layer may be called with other numbers of keys.
    return site.make(f"scores{positions}", lambda name: layers.Reshape((-1, positions), name=name))(summed(bent))


def _is_special(node: Node) -> bool:
    """Whether a call has other arguments; its masks are tensors, also that of a causal one (see `masks`)."""
    asked = {name for name, value in node.call_kwargs.items() if value is not None and value is not False}
    return not asked <= {"training"}
