"""An embedding that is the output layer, too, as one table, rows and products: that of Keras 3, and tfopt's own two.

The bridge wraps `keras.layers.ReversibleEmbedding`, for tf_keras has no such layer; a wrapper is not simulated, and its
two outputs could not share a scale. The table is one weight; the file has it twice, and each is rounded as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.layers import TiedEmbedding, TiedLogits
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.table_layers import (
    Table,
    TableOfProducts,
    TakeRows,
    TimesRows,
)
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array

_TITLE = "embedding computed as one table, its rows and products with them"


class OwnTiedEmbedding(Rewrite):
    title = _TITLE

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is TiedEmbedding and len(site.nodes) == 1

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> list[tf.Tensor]:
        (values,) = site.layer.get_weights()
        table = site.make("", lambda name: Table(*values.shape, name=name), {"table": values})(inputs)
        return [_rows(site, inputs, table), table]

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return [weights[site.name]["table"]]


class OwnTiedLogits(Rewrite):
    title = ""

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is TiedLogits

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        values, table = inputs
        return _products(site, "", values, table)


class ReversibleEmbedding(Rewrite):
    title = _TITLE

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        if type(layer) is not Keras3LayerWrapper or type(layer.wrapped) is not keras.layers.ReversibleEmbedding:
            return False
        inside = layer.wrapped
        return (
            inside.tie_weights
            and not inside.mask_zero
            and inside.logit_soft_cap is None
            and inside.reverse_dtype is None
            and len(layer.weights) == 1
            and layer.weights[0].dtype == tf.float32
            and inside.embeddings_regularizer is None
            and inside.embeddings_constraint is None
        )

    def replace(self, site: RewriteSite, *args: Any, **kwargs: Any) -> tf.Tensor:
        inputs, reverse = _arguments(site, args[0], kwargs.get("way", 0))
        (values,) = site.layer.get_weights()
        made = site.make("", lambda name: Table(*values.shape, name=name), {"table": values})
        table = made.output if made.inbound_nodes else made(inputs)
        if reverse:
            return _products(site, "products", inputs, table)
        return _rows(site, inputs, table)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return [weights[site.name]["table"]]


def _rows(site: RewriteSite, indices: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    return site.make("rows", lambda name: TakeRows(name=name))([indices, table])


def _products(site: RewriteSite, suffix: str, values: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    multiplied = site.make("multiplied", lambda name: TableOfProducts(name=name))(table)
    return site.make(suffix, lambda name: TimesRows(name=name))([values, multiplied])


def _arguments(site: RewriteSite, inputs: tf.Tensor, way: int) -> tuple[tf.Tensor, bool]:
    """What the embedding is called with: indices, or vectors if it is reversed."""
    args, kwargs = fill(site.layer.pattern_of(way), [inputs])
    given = {**dict(zip(("inputs", "reverse"), args, strict=False)), **kwargs}
    return given["inputs"], bool(given.get("reverse"))
