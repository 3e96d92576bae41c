"""GroupQueryAttention of Keras 3, which tf_keras does not have, as Dense, Softmax and products of heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.quantization.canonical.custom_layers import HeadContext, HeadScores, RepeatHeads
from tfopt.backend.quantization.canonical.mask_layers import CausalMask, MaskedScores
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array

_PARTS = ("query", "key", "value")
_KNOWN = frozenset({"query", "value", "key", "use_causal_mask"})


class GroupedQueryAttention(Rewrite):
    title = "attention computed as Dense, Softmax and products of heads"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        if type(layer) is not Keras3LayerWrapper or type(layer.wrapped).__name__ != "GroupedQueryAttention":
            return False
        wrapped = layer.wrapped
        given = {name for name, value in _arguments(site, site.nodes[0].keras_inputs).items() if value is not None}
        return (
            type(wrapped).__module__.startswith("keras.src.")
            and given <= _KNOWN
            and not getattr(wrapped, "use_gate", False)  # of newer versions of Keras 3
            and getattr(wrapped, "sliding_window", None) is None
            and not any(variable.regularizer or variable.constraint for variable in wrapped.variables)
            and not any(node.call_kwargs.get("way") for node in site.nodes)
            and {tensor.shape.rank for tensor in site.inputs} == {3}
        )

    def replace(self, site: RewriteSite, *args: object, **kwargs: object) -> tf.Tensor:
        wrapped = site.layer.wrapped
        given = _arguments(site, tf.nest.flatten(args[0]))
        query, value = given["query"], given["value"]
        tensors = {"query": query, "value": value, "key": value if given.get("key") is None else given["key"]}
        heads = {part: self._heads(site, part, tensors[part]) for part in _PARTS}
        found = site.make("scores", lambda name: HeadScores(wrapped.head_dim**-0.5, name=name))(
            [heads["query"], heads["key"]]
        )
        if given.get("use_causal_mask"):
            mask = site.make("causal", lambda name: CausalMask(name=name))([query, value])
            found = site.make("masked", lambda name: MaskedScores(name=name))([found, mask])
        weights = site.make("softmax", lambda name: layers.Softmax(name=name))(found)
        if wrapped.dropout:
            weights = site.make("dropout", lambda name: layers.Dropout(wrapped.dropout, name=name))(weights)
        context = site.make("context", lambda name: HeadContext(name=name))([weights, heads["value"]])
        joined = site.make("joined", lambda name: layers.Permute((2, 1, 3), name=name))(context)
        width = wrapped.num_query_heads * wrapped.head_dim
        flat = site.make("flat", lambda name: layers.Reshape((-1, width), name=name))(joined)
        return _dense(site, "output", inputs=2)(flat)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        values: dict[int, Array] = {}
        for part in (*_PARTS, "output"):
            inner, made = getattr(site.layer.wrapped, f"_{part}_dense"), weights[site.named(_suffix(part))]
            values[id(inner.kernel.value)] = made["kernel"].reshape(inner.kernel.shape)
            if inner.bias is not None:
                values[id(inner.bias.value)] = made["bias"].reshape(inner.bias.shape)
        # Besides kernels and biases, a layer with dropout has the state of its generator.
        return [values.get(id(variable), variable.numpy()) for variable in site.layer.weights]

    def _heads(self, site: RewriteSite, part: str, inputs: tf.Tensor) -> tf.Tensor:
        """Projected inputs as (batch, heads of the query, positions, width)."""
        wrapped = site.layer.wrapped
        count = wrapped.num_query_heads if part == "query" else wrapped.num_key_value_heads
        split = site.make(f"{part}_heads", lambda name: layers.Reshape((-1, count, wrapped.head_dim), name=name))
        turned = site.make(f"{part}_turned", lambda name: layers.Permute((2, 1, 3), name=name))
        heads = turned(split(_dense(site, part, inputs=1)(inputs)))
        if part == "query" or wrapped.num_repeats == 1:
            return heads
        return site.make(f"{part}_repeated", lambda name: RepeatHeads(wrapped.num_repeats, name=name))(heads)


def _dense(site: RewriteSite, part: str, inputs: int) -> layers.Dense:
    """A projection of attention: its kernel as a matrix, the first axes of which are the inputs."""
    inner = getattr(site.layer.wrapped, f"_{part}_dense")
    kernel = inner.kernel.numpy()
    matrix = kernel.reshape(int(np.prod(kernel.shape[:inputs])), -1)
    weights = {"kernel": matrix} | ({} if inner.bias is None else {"bias": inner.bias.numpy().reshape(-1)})
    return site.make(
        _suffix(part), lambda name: layers.Dense(matrix.shape[1], use_bias=inner.bias is not None, name=name), weights
    )


def _suffix(part: str) -> str:
    return "" if part == "output" else part


def _arguments(site: RewriteSite, tensors: Sequence[tf.Tensor]) -> Mapping[str, Any]:
    args, kwargs = fill(site.layer.pattern_of(0), tensors)
    return {**dict(zip(("query", "value", "key"), args, strict=False)), **kwargs}
