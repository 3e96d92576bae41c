"""MultiHeadAttention as Dense, Softmax and products of heads.

tfmot cannot wrap it (`compute_output_shape() missing 1 required positional argument: 'value_shape'`), so none of it is
simulated. As separate layers it computes the same to 7e-7, completely in integers: BATCH_MATMUL and SOFTMAX have int8
kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention
from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.quantization.canonical.custom_layers import HeadContext, HeadScores, InsertAxes
from tfopt.backend.quantization.canonical.mask_layers import KeptWeights, MaskedScores
from tfopt.backend.quantization.canonical.normalization_layers import Times
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array, Nested

_PARTS = ("query", "key", "value")
_REGULARIZERS = ("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")


class MultiHeadAttention(Rewrite):
    title = "attention computed as Dense, Softmax and products of heads"

    def applies(self, site: RewriteSite) -> bool:
        return (
            type(site.layer) in (layers.MultiHeadAttention, ZeroingMultiHeadAttention)
            and {tensor.shape.rank for tensor in site.inputs if tensor.dtype.is_floating} == {3}
            and all(not _is_special(node) for node in site.nodes)
            and not any(getattr(site.layer, f"_{name}") for name in _REGULARIZERS)
        )

    def replace(
        self,
        site: RewriteSite,
        query: tf.Tensor,
        value: tf.Tensor,
        key: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        return_attention_scores: bool = False,
        **kwargs: object,
    ) -> Nested:
        layer = site.layer
        heads = {
            part: self._heads(site, part, tensor)
            for part, tensor in zip(_PARTS, (query, value if key is None else key, value), strict=True)
        }
        scaled = site.make("scaled", lambda name: Times(layer._key_dim**-0.5, name=name))(heads["query"])
        found = site.make("scores", lambda name: HeadScores(1.0, name=name))([scaled, heads["key"]])
        if attention_mask is not None:
            of_heads = site.make("mask_of_heads", lambda name: InsertAxes(name=name))(attention_mask)
            found = site.make("masked", lambda name: MaskedScores(name=name))([found, of_heads])
        weights = site.make("softmax", lambda name: layers.Softmax(name=name))(found)
        if attention_mask is not None and type(layer) is ZeroingMultiHeadAttention:
            weights = site.make("kept", lambda name: KeptWeights(name=name))([weights, of_heads])
        shown = weights
        if layer._dropout:
            weights = site.make("dropout", lambda name: layers.Dropout(layer._dropout, name=name))(weights)
        context = site.make("context", lambda name: HeadContext(name=name))([weights, heads["value"]])
        joined = site.make("joined", lambda name: layers.Permute((2, 1, 3), name=name))(context)
        flat = site.make("flat", lambda name: layers.Reshape((-1, layer._num_heads * layer._value_dim), name=name))
        outputs = _dense(site, "", layer._output_dense, inputs=2)(flat(joined))
        return (outputs, shown) if return_attention_scores else outputs

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        layer = site.layer
        values: dict[int, Array] = {}
        projections = {part: getattr(layer, f"_{part}_dense") for part in _PARTS} | {"": layer._output_dense}
        for suffix, inner in projections.items():
            made = weights[site.named(suffix)]
            values[id(inner.kernel)] = made["kernel"].reshape(inner.kernel.shape)
            if inner.bias is not None:
                values[id(inner.bias)] = made["bias"].reshape(inner.bias.shape)
        return [values[id(variable)] for variable in layer.weights]

    def _heads(self, site: RewriteSite, part: str, inputs: tf.Tensor) -> tf.Tensor:
        """Projected inputs as (batch, heads, positions, width)."""
        layer = site.layer
        width = layer._value_dim if part == "value" else layer._key_dim
        split = site.make(f"{part}_heads", lambda name: layers.Reshape((-1, layer._num_heads, width), name=name))
        turned = site.make(f"{part}_turned", lambda name: layers.Permute((2, 1, 3), name=name))
        return turned(split(_dense(site, part, getattr(layer, f"_{part}_dense"), inputs=1)(inputs)))


def _dense(site: RewriteSite, suffix: str, inner: layers.Layer, inputs: int) -> layers.Dense:
    """A projection of attention: its kernel as a matrix, the first axes of which are the inputs."""
    kernel = inner.kernel.numpy()
    matrix = kernel.reshape(int(np.prod(kernel.shape[:inputs])), -1)
    weights = {"kernel": matrix} | ({} if inner.bias is None else {"bias": inner.bias.numpy().reshape(-1)})
    return site.make(
        suffix, lambda name: layers.Dense(matrix.shape[1], use_bias=inner.bias is not None, name=name), weights
    )


def _is_special(node: Node) -> bool:
    """Whether a call has other arguments; its masks are tensors, also that of a causal one (see `masks`)."""
    known = {"query", "value", "key", "attention_mask", "return_attention_scores", "training"}
    asked = {name for name, value in node.call_kwargs.items() if value is not None and value is not False}
    return len(node.call_args) > 4 or not asked <= known
