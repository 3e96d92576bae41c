"""Attention that a user wrote with `keras.ops`: products of heads, masks before the softmax, and the softmax.

The bridge wraps such an operation (tf_keras has no layer for it), and a wrapper is not simulated. Keras masks scores by
-1e9, next to which 8 bits cannot tell two other scores apart: here a masked score is 16 below the lowest of its row,
whose weight e^-16 no integer file can hold either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.compat.keras_graph import KerasTensor
from tfopt.backend.quantization.canonical.custom_layers import HeadContext, HeadScores
from tfopt.backend.quantization.canonical.mask_layers import KeptWeights, MaskedScores
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite, required
from tfopt.backend.types import Array, Nested

_MASKS_BELOW = -1e3
"""A constant that is added to scores and is 0 or below this is a mask."""


class KerasOperation(Rewrite):
    """The base: an operation of Keras 3 in a wrapper, which is called in one way."""

    operation: str
    """Name of its class in Keras 3."""

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        return (
            type(layer) is Keras3LayerWrapper
            and type(layer.wrapped).__name__ == self.operation
            and type(layer.wrapped).__module__.startswith("keras.src.")
            and all(not node.call_kwargs.get("way") for node in site.nodes)
            and len(site.outputs) == len(site.nodes)
            and all(tensor.shape[0] is None for tensor in site.outputs)
            and self.fits(site, *_arguments(site, site.nodes[0].keras_inputs))
        )

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        """Whether it is rewritten; gets the arguments of the operation, tensors in their places."""
        raise NotImplementedError

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        """The output, from the arguments of the operation."""
        raise NotImplementedError

    def replace(self, site: RewriteSite, *args: Any, **kwargs: Any) -> tf.Tensor:
        return self.compute(site, *_arguments(site, tf.nest.flatten(args[0])))


class Einsum(KerasOperation):
    title = "einsum computed as a product of heads"
    operation = "Einsum"

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        return (
            len(args) == 2
            and not kwargs
            and all(_is_tensor(value) and value.dtype == tf.float32 for value in args)
            and product(site.layer.wrapped.subscripts) is not None
        )

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        plan = required(product(site.layer.wrapped.subscripts))
        left, right = (args[1], args[0]) if plan.swapped else args
        left, right = _turned(site, "left", left, plan.left), _turned(site, "right", right, plan.right)
        kind = (lambda name: HeadScores(1.0, name=name)) if plan.transposed else (lambda name: HeadContext(name=name))
        return _turned(site, "turned", site.make("", kind)([left, right]), plan.result)


class MaskedSoftmax(KerasOperation):
    title = "masked softmax with a mask that 8 bits can hold"
    operation = "Softmax"

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        mask = kwargs.get("mask", args[1] if len(args) > 1 else None)
        axis = site.layer.wrapped.axis
        axes = list(axis) if isinstance(axis, list | tuple) else [axis]
        is_last = axes in ([-1], [site.outputs[0].shape.rank - 1])
        return mask is not None and len(args) <= 2 and set(kwargs) <= {"mask"} and is_last

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        mask = kwargs.get("mask", args[1] if len(args) > 1 else None)
        weights = _softmax(site, args[0], mask)
        if not _is_tensor(mask):
            return weights
        # A row that is masked from end to end has no weights at all in Keras 3.
        return site.make("kept", lambda name: KeptWeights(name=name))([weights, mask])


class MaskAdded(KerasOperation):
    title = "mask added to scores, computed as one that 8 bits can hold"
    operation = "Add"

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        constants = [value for value in args if not _is_tensor(value)]
        return len(args) == 2 and len(constants) == 1 and added_mask(constants[0]) is not None and only_softmax(site)

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        scores, mask = args if _is_tensor(args[0]) else args[::-1]
        kept = required(added_mask(mask))
        return site.make("", lambda name: MaskedScores(kept.tolist(), name=name))(scores)


class ScoresChosen(KerasOperation):
    title = "mask of scores, computed as one that 8 bits can hold"
    operation = "Where"

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        if len(args) != 3 or kwargs or not _is_tensor(args[1]) or _is_tensor(args[2]):
            return False
        other = np.asarray(args[2])
        return other.size == 1 and float(other.reshape(())) <= _MASKS_BELOW and only_softmax(site)

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        return _masked(site, "", args[1], args[0])


class DotProductAttention(KerasOperation):
    title = "attention computed as products of heads"
    operation = "DotProductAttention"

    def fits(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        query, key, value, bias, _, _ = _attention_arguments(args, kwargs)
        heads = [tensor.shape[2] for tensor in (query, key, value)]
        return (
            bias is None
            and site.layer.wrapped.attn_logits_soft_cap is None
            and len(set(heads)) == 1
            and (not site.layer.wrapped.is_causal or None not in (query.shape[1], key.shape[1]))
        )

    def compute(self, site: RewriteSite, args: Sequence[Any], kwargs: dict[str, Any]) -> tf.Tensor:
        query, key, value, _, mask, scale = _attention_arguments(args, kwargs)
        heads = [
            _turned(site, name, tensor, (0, 2, 1, 3))
            for name, tensor in (("query", query), ("key", key), ("value", value))
        ]
        scale = float(query.shape[-1] ** -0.5 if scale is None else np.asarray(scale))
        scores = site.make("scores", lambda name: HeadScores(scale, name=name))(heads[:2])
        if site.layer.wrapped.is_causal:
            causal = np.tri(query.shape[1], key.shape[1]) > 0
            scores = _masked(site, "causal", scores, causal)
        weights = _softmax(site, scores, mask)
        context = site.make("context", lambda name: HeadContext(name=name))([weights, heads[2]])
        return _turned(site, "", context, (0, 2, 1, 3))


@dataclass(frozen=True)
class Product:
    """An einsum of two tensors as a batch of matrix products.

    Args:
        swapped: the second operand comes first.
        left: order of the axes of the first operand: those of the batch, rows, and the summed axis.
        right: of the second: those of the batch, and summed axis and columns or the reverse.
        transposed: the second has the summed axis last.
        result: order of the axes of the product in the result.
    """

    swapped: bool
    left: tuple[int, ...]
    right: tuple[int, ...]
    transposed: bool
    result: tuple[int, ...]


def product(subscripts: str) -> Product | None:
    """An equation such as `aecd,abcd->acbe` as products of matrices; None where it is something else."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    operands = given.split(",")
    if not arrow or len(operands) != 2 or "." in subscripts or any(len(set(p)) != len(p) for p in (*operands, result)):
        return None
    swapped = _first_free(operands, result) == 1
    left, right = operands[::-1] if swapped else operands
    batch = [axis for axis in result if axis in left and axis in right]
    rows = [axis for axis in left if axis in result and axis not in right]
    columns = [axis for axis in right if axis in result and axis not in left]
    summed = [axis for axis in left if axis in right and axis not in result]
    known = {*batch, *rows, *columns, *summed}
    if not batch or any(len(part) != 1 for part in (rows, columns, summed)) or known != {*left, *right}:
        return None
    if {left[0], right[0], result[0], batch[0]} != {batch[0]}:
        return None  # the examples
    transposed = right.index(columns[0]) < right.index(summed[0])
    last = [*columns, *summed] if transposed else [*summed, *columns]
    made = [*batch, *rows, *columns]
    return Product(
        swapped,
        tuple(left.index(axis) for axis in (*batch, *rows, *summed)),
        tuple(right.index(axis) for axis in (*batch, *last)),
        transposed,
        tuple(made.index(axis) for axis in result),
    )


def _first_free(operands: Sequence[str], result: str) -> int:
    """Which operand has the first axis of the result that only one of them has."""
    for axis in result:
        having = [index for index, operand in enumerate(operands) if axis in operand]
        if len(having) == 1:
            return having[0]
    return 0


def added_mask(constant: Nested) -> Array | None:
    """Where a constant that is added to scores lets them be; None where it is no mask."""
    values = np.asarray(constant)
    if values.size < 2 or values.dtype.kind != "f" or not ((values == 0) | (values <= _MASKS_BELOW)).all():
        return None
    kept = values == 0
    return kept if kept.any(axis=-1).all() and not kept.all() else None


def only_softmax(site: RewriteSite) -> bool:
    """Whether nothing but a softmax sees what a layer returns."""
    consumer = site.graph.only_consumer(site.name)
    layer = None if consumer is None else site.graph.layers[consumer]
    if isinstance(layer, Keras3LayerWrapper):
        return type(layer.wrapped).__name__ == "Softmax"
    return isinstance(layer, layers.Softmax) or (
        isinstance(layer, layers.Activation) and layer.activation is tf_keras.activations.softmax
    )


def _arguments(site: RewriteSite, tensors: Sequence[tf.Tensor]) -> tuple[Sequence[Any], dict[str, Any]]:
    args, kwargs = fill(site.layer.pattern_of(0), tensors)
    return args, {key: value for key, value in kwargs.items() if value is not None}


def _attention_arguments(args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    names = ("query", "key", "value", "bias", "mask", "scale")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return [given.get(name) for name in names]


def _softmax(site: RewriteSite, scores: tf.Tensor, mask: Nested) -> tf.Tensor:
    if mask is not None:
        scores = _masked(site, "masked", scores, mask)
    return site.make("softmax", lambda name: layers.Softmax(name=name))(scores)


def _masked(site: RewriteSite, suffix: str, scores: tf.Tensor, mask: Nested) -> tf.Tensor:
    if _is_tensor(mask):
        return site.make(suffix, lambda name: MaskedScores(name=name))([scores, mask])
    kept = np.asarray(mask) > 0.5
    return site.make(suffix, lambda name: MaskedScores(kept.tolist(), name=name))(scores)


def _turned(site: RewriteSite, suffix: str, tensor: tf.Tensor, order: Sequence[int]) -> tf.Tensor:
    if tuple(order) == tuple(range(len(order))):
        return tensor
    return site.make(suffix, lambda name: layers.Permute(tuple(order[1:]), name=name))(tensor)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, KerasTensor)
