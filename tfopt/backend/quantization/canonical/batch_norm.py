"""What batch normalization computes at inference, and the kernel into which the converter folds it."""

from __future__ import annotations

import numpy as np
from tf_keras import layers

from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.quantization.canonical.custom_layers import DilatedConv2D
from tfopt.backend.quantization.canonical.weights import named, ordered
from tfopt.backend.types import Array

TAKES_BATCH_NORMALIZATION = (layers.Conv2D, DilatedConv2D, layers.DepthwiseConv2D, layers.Dense)
"""Kernels into which the converter folds a batch normalization that follows."""


def folds_into(graph: Graph, name: str) -> str | None:
    """The kernel's layer into which the converter folds a batch normalization; None if it cannot."""
    layer = graph.layers[name]
    producers = graph.producers(name)
    if type(layer) is not layers.BatchNormalization or len(producers) != 1:
        return None
    kernel = graph.layers[producers[0]]
    fits = type(kernel) in TAKES_BATCH_NORMALIZATION and function_name(kernel) == "linear"
    if not fits or graph.only_consumer(kernel.name) != name:
        return None
    rank = len(kernel.output_shape)
    # A Dense layer on more than two axes is a reshape, a product and a reshape in TFLite: nothing to fold into.
    foldable_rank = 2 if type(kernel) is layers.Dense else 4
    return kernel.name if rank == foldable_rank and list(layer.axis) == [rank - 1] else None


def scale_and_shift(layer: layers.BatchNormalization) -> tuple[Array, Array]:
    """Scale and shift per channel that batch normalization computes at inference."""
    weights = named(layer)
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    scale = weights.get("gamma", np.ones_like(mean)) / np.sqrt(variance + layer.epsilon)
    return scale, weights.get("beta", np.zeros_like(mean)) - mean * scale


def with_scale_and_shift(layer: layers.BatchNormalization, scale: Array, shift: Array) -> list[Array]:
    """Weights with which batch normalization computes a given scale and shift at inference.

    The moving statistics do not change; gamma and beta are computed from the trained values. A layer without gamma
    stores the scale in the moving variance, one without beta the shift in the moving mean.
    """
    weights = named(layer)
    if "gamma" in weights:
        weights["gamma"] = scale * np.sqrt(weights["moving_variance"] + layer.epsilon)
    else:
        weights["moving_variance"] = np.maximum(1 / np.square(scale) - layer.epsilon, 0)
    if "beta" in weights:
        weights["beta"] = shift + weights["moving_mean"] * scale
    else:
        weights["moving_mean"] = -shift / scale
    return ordered(layer, weights)
