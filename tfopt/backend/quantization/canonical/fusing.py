"""What the converter folds into one operator."""

from __future__ import annotations

from tf_keras import layers

from tfopt.backend.graph.connections import Graph, function_name
from tfopt.backend.quantization.canonical.dilated_conv2d import DilatedConv2D

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
