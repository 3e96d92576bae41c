"""Operators of TensorFlow in a functional model, by the Keras layers that do the same.

tfmot takes layers only: `x * 2` gives `AttributeError: 'list' object has no attribute 'dtype'`, and left out, it and
the kernel after it stay float (TF 2.21, without calibration data).
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import KerasTensor, SlicingOpLambda, TFOpLambda
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite

Build = Callable[[str], tf_keras.layers.Layer]


class OperatorAsLayer(Rewrite):
    """An operator that one Keras layer stands for."""

    title = "operator as Keras layer"

    @abstractmethod
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        """Makes the layer, given its name; None for an operator that it does not stand for.

        Args:
            symbol: TensorFlow's name of the operator, such as `math.add`.
            arguments: what it is called with, by the operator's own names; those it takes from defaults too.
            inputs: the tensors among them, in order; the layer is called with them.
            output: what it returns.
        """

    def applies(self, site: RewriteSite) -> bool:
        kind = type(site.layer)
        if kind not in (TFOpLambda, SlicingOpLambda) or len(site.nodes) != 1 or len(site.outputs) != 1:
            return False
        return all(_is_batch(tensor) for tensor in (*site.inputs, *site.outputs)) and self._build(site) is not None

    def replace(self, site: RewriteSite, *args: Any, **kwargs: Any) -> Any:
        made = site.make("", self._build(site))
        tensors = [value for value in tf.nest.flatten((args, kwargs)) if isinstance(value, KerasTensor)]
        return made(tensors[0] if len(tensors) == 1 else tensors)

    def _build(self, site: RewriteSite) -> Build | None:
        (node,) = site.nodes
        (output,) = site.outputs
        bound = inspect.signature(site.layer.function).bind(*node.call_args, **node.call_kwargs)
        bound.apply_defaults()
        return self.layer(site.layer.symbol or "", bound.arguments, site.inputs, output)


def constant(value: Any, channels: int | None) -> list[float] | float | None:
    """One number, or one per channel; None for what is neither."""
    if value is None or isinstance(value, KerasTensor):
        return None
    values = np.asarray(value, np.float32)
    if values.size == 1:
        return float(values.reshape(()))
    return values.reshape(-1).tolist() if values.size == channels == values.shape[-1] else None


def _is_batch(tensor: Any) -> bool:
    """Whether a tensor holds numbers for each example of a batch of any size."""
    return tensor.dtype.is_floating and (tensor.shape.rank or 0) >= 2 and tensor.shape[0] is None
