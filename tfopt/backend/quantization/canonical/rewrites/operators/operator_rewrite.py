"""The base of rewrites that replace a TensorFlow operator in a functional model by one Keras layer.

tfmot accepts layers only: `x * 2` raises `AttributeError: 'list' object has no attribute 'dtype'`. Not annotated, it
and the kernel after it stay float (TF 2.21, without calibration data).
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import KerasTensor, SlicingOpLambda, TFOpLambda
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite, required
from tfopt.backend.types import Nested

Build: TypeAlias = Callable[[str], layers.Layer]
"""Makes the layer of a given name."""

Arguments: TypeAlias = Mapping[str, Nested]
Tensors: TypeAlias = Sequence[tf.Tensor]


class OperatorAsLayer(Rewrite):
    """Replaces an operator by one Keras layer."""

    title = "operator as Keras layer"

    @abstractmethod
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        """Returns a function that makes the layer of a given name; None for an operator that it does not replace.

        Args:
            symbol: TensorFlow's name of the operator, such as `math.add`.
            arguments: arguments of the call by the operator's own names, defaults included.
            inputs: the tensors among them, in order; the layer is called with them.
            output: the tensor that it returns.
        """

    def applies(self, site: RewriteSite) -> bool:
        kind = type(site.layer)
        if kind not in (TFOpLambda, SlicingOpLambda) or len(site.nodes) != 1 or len(site.outputs) != 1:
            return False
        return all(_is_batch(tensor) for tensor in (*site.inputs, *site.outputs)) and self._build(site) is not None

    def replace(self, site: RewriteSite, *args: object, **kwargs: object) -> tf.Tensor:
        made = site.make("", required(self._build(site)))
        tensors = [value for value in tf.nest.flatten((args, kwargs)) if isinstance(value, KerasTensor)]
        return made(tensors[0] if len(tensors) == 1 else tensors)

    def _build(self, site: RewriteSite) -> Build | None:
        (node,) = site.nodes
        (output,) = site.outputs
        bound = inspect.signature(site.layer.function).bind(*node.call_args, **node.call_kwargs)
        bound.apply_defaults()
        return self.layer(site.layer.symbol or "", bound.arguments, site.inputs, output)


def constant(value: Nested, channels: int | None) -> list[float] | float | None:
    """A constant operand as one number, or as one per channel; None if it is neither."""
    if value is None or isinstance(value, KerasTensor):
        return None
    values = np.asarray(value, np.float32)
    if values.size == 1:
        return float(values.reshape(()))
    return values.reshape(-1).tolist() if values.size == channels == values.shape[-1] else None


def _is_batch(tensor: tf.Tensor) -> bool:
    """Whether a tensor holds floating-point values for each example of a batch of any size."""
    return tensor.dtype.is_floating and (tensor.shape.rank or 0) >= 2 and tensor.shape[0] is None
