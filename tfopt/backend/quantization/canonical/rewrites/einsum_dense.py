"""EinsumDense that sums over its last axes, as Reshape and Dense.

As it is, the converter may make a FULLY_CONNECTED with an int8 input and a float output, and the file does not run
(`input->type != kTfLiteFloat32 (INT8 != FLOAT32)`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named
from tfopt.backend.types import Array


class EinsumDense(Rewrite):
    title = "EinsumDense computed as Dense"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is layers.EinsumDense and _num_summed(site) > 0 and _has_plain_bias(site)

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights, summed = site.layer, named(site.layer), _num_summed(site)
        made = layer.kernel.shape[summed:]
        outer = inputs.shape[1:-summed]
        if summed > 1:
            size = prod(layer.kernel.shape[:summed])
            inputs = site.make("flat", lambda name: layers.Reshape(_free(outer, [size]), name=name))(inputs)
        dense = site.make(
            "",
            lambda name: layers.Dense(
                prod(made),
                activation=layer.activation,
                use_bias=layer.bias is not None,
                kernel_regularizer=layer.kernel_regularizer,
                bias_regularizer=layer.bias_regularizer,
                activity_regularizer=layer.activity_regularizer,
                name=name,
            ),
            {
                "kernel": weights["kernel"].reshape(prod(layer.kernel.shape[:summed]), -1),
                **({} if layer.bias is None else {"bias": weights["bias"].reshape(-1)}),
            },
        )
        result = dense(inputs)
        if len(made) > 1:
            result = site.make("shaped", lambda name: layers.Reshape(_free(outer, made), name=name))(result)
        return result

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = weights[site.name]
        return [made[name].reshape(before.shape) for name, before in named(site.layer).items()]


def _num_summed(site: RewriteSite) -> int:
    """Number of axes, last of the inputs and first of the kernel, that are summed over; 0 for other products."""
    equation = re.sub(r"\s", "", site.layer.equation).replace("...", "")
    given, kernel, result = re.split(",|->", equation)
    for summed in range(1, len(kernel)):
        if given.endswith(kernel[:summed]) and result == given[:-summed] + kernel[summed:]:
            known = all(size is not None for tensor in site.inputs for size in tensor.shape[2:])
            return summed if known or len(kernel) == 2 else 0
    return 0


def _has_plain_bias(site: RewriteSite) -> bool:
    bias = site.layer.bias
    return bias is None or bias.shape == site.layer.kernel.shape[_num_summed(site) :]


def _free(outer: Sequence[int | None], inner: Sequence[int]) -> tuple[int, ...]:
    """A target shape for Reshape, with -1 for a size that is not known."""
    return (*(-1 if size is None else size for size in outer), *inner)
