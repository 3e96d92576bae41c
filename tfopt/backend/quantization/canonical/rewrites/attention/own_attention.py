"""tfopt's own GroupedQueryAttention as Dense, rotations, Softmax and products of heads, each with its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.layers import GroupedQueryAttention
from tfopt.backend.layers.rotary import rotary_tables
from tfopt.backend.quantization.canonical.custom_layers import HeadContext, HeadScores, SwappedHalves, TimesTable
from tfopt.backend.quantization.canonical.mask_layers import CausalMask, MaskedScores
from tfopt.backend.quantization.canonical.normalization_layers import Times
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array

_SUFFIXES = {"query": "query", "key": "key", "value": "value", "attention_output": ""}
"""Suffixes of the new layers, by projection."""


class OwnGroupedQueryAttention(Rewrite):
    title = "attention computed as Dense, Softmax and products of heads"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is GroupedQueryAttention and site.ranks == {3} and None not in site.inputs[0].shape[1:]

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, steps = site.layer, inputs.shape[1]
        shared, rows = layer.key_value_heads, layer.num_heads // layer.key_value_heads * inputs.shape[1]
        query = self._heads(site, "query", inputs, layer.num_heads)
        key = self._heads(site, "key", inputs, shared)
        value = self._heads(site, "value", inputs, shared)
        if layer.rotary:
            cosines, sines = rotary_tables(steps, layer.head_size, layer.rotary_base)
            query = _rotated(site, "query", query, cosines, sines)
            key = _rotated(site, "key", key, cosines, sines)
        scaled = site.make("scaled", lambda name: Times(layer.head_size**-0.5, name=name))(query)
        # The heads that share a key are rows of one product, as in the layer itself.
        grouped = _shaped(site, "grouped", scaled, (shared, rows, layer.head_size))
        scores = site.make("scores", lambda name: HeadScores(1.0, name=name))([grouped, key])
        scores = _shaped(site, "of_heads", scores, (layer.num_heads, steps, steps))
        mask = site.make("causal", lambda name: CausalMask(name=name))([inputs, inputs])
        scores = site.make("masked", lambda name: MaskedScores(name=name))([scores, mask])
        weights = site.make("softmax", lambda name: layers.Softmax(name=name))(scores)
        if layer.dropout:
            weights = site.make("dropout", lambda name: layers.Dropout(layer.dropout, name=name))(weights)
        weights = _shaped(site, "weights", weights, (shared, rows, steps))
        context = site.make("context", lambda name: HeadContext(name=name))([weights, value])
        context = _shaped(site, "context_of_heads", context, (layer.num_heads, steps, layer.head_size))
        joined = site.make("joined", lambda name: layers.Permute((2, 1, 3), name=name))(context)
        flat = _shaped(site, "flat", joined, (steps, layer.num_heads * layer.head_size))
        return _dense(site, "attention_output")(flat)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        values: dict[int, Array] = {}
        for part, suffix in _SUFFIXES.items():
            inner, made = getattr(site.layer, part), weights[site.named(suffix)]
            values[id(inner.kernel)] = made["kernel"]
            if inner.use_bias:
                values[id(inner.bias)] = made["bias"]
        return [values[id(variable)] for variable in site.layer.weights]

    def _heads(self, site: RewriteSite, part: str, inputs: tf.Tensor, count: int) -> tf.Tensor:
        """Projected inputs as (batch, heads, positions, width)."""
        split = _shaped(site, f"{part}_heads", _dense(site, part)(inputs), (-1, count, site.layer.head_size))
        return site.make(f"{part}_turned", lambda name: layers.Permute((2, 1, 3), name=name))(split)


def _dense(site: RewriteSite, part: str) -> layers.Dense:
    inner = getattr(site.layer, part)
    weights = {"kernel": inner.kernel.numpy()} | ({"bias": inner.bias.numpy()} if inner.use_bias else {})
    return site.make(
        _SUFFIXES[part], lambda name: layers.Dense(inner.units, use_bias=inner.use_bias, name=name), weights
    )


def _rotated(site: RewriteSite, part: str, heads: tf.Tensor, cosines: Array, sines: Array) -> tf.Tensor:
    """Heads turned by the angles of their positions, as `tfopt.backend.layers.rotary.rotated` does.

    Their halves swapped, times sines of which the first half is negative: TFLite has no integer kernel for NEG.
    """
    swapped = site.make(f"{part}_swapped", lambda name: SwappedHalves(name=name))(heads)
    turned = [
        site.make(f"{part}_{suffix}", partial(_times, table), {"factors": table})(tensor)
        for suffix, table, tensor in (
            ("cosines", np.concatenate([cosines, cosines], -1), heads),
            ("sines", np.concatenate([-sines, sines], -1), swapped),
        )
    ]
    return site.make(f"{part}_rotated", lambda name: layers.Add(name=name))(turned)


def _times(table: Array, name: str) -> TimesTable:
    return TimesTable(table.shape, name=name)


def _shaped(site: RewriteSite, suffix: str, tensor: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    return site.make(suffix, lambda name: layers.Reshape(shape, name=name))(tensor)
