"""Which operators the weights of a Keras layer will be read by, known before the conversion."""

from __future__ import annotations

from dataclasses import dataclass

import tf_keras
from tf_keras import layers

UNKNOWN_ROW = 0
"""The length of a row that only the conversion tells; 0 can be divided by every size of a block."""


@dataclass(frozen=True)
class Weights:
    """Weights of a layer.

    Args:
        operator: TFLite's name of the operator that reads them.
        row: as in `tfopt.core.config.weight_kernels.reason_no_kernel`.
    """

    operator: str
    row: int = UNKNOWN_ROW


def weights_of(layer: tf_keras.layers.Layer) -> tuple[Weights, ...] | None:
    """The weights of a layer; None where only the conversion tells.

    Args:
        layer: built.
    """
    if isinstance(layer, layers.Embedding):
        return (Weights("EMBEDDING_LOOKUP", int(layer.output_dim)),)
    if isinstance(layer, layers.Dense):
        return (Weights("FULLY_CONNECTED", int(layer.kernel.shape[0])),)
    if isinstance(layer, (layers.EinsumDense, layers.MultiHeadAttention)):
        return (Weights("FULLY_CONNECTED"),)
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        return (Weights("DEPTHWISE_CONV_2D"), Weights("CONV_2D"))
    if isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        return (Weights("DEPTHWISE_CONV_2D"),)
    if isinstance(layer, (layers.Conv1DTranspose, layers.Conv2DTranspose)):
        return (Weights("TRANSPOSE_CONV"),)
    if isinstance(layer, layers.Conv3D):  # Conv3DTranspose too
        return (Weights("CONV_3D"),)
    if isinstance(layer, (layers.Conv1D, layers.Conv2D)):
        return (Weights("CONV_2D"),)
    if isinstance(layer, (layers.GRU, layers.SimpleRNN)):
        return (Weights("FULLY_CONNECTED"),)
    if isinstance(layer, layers.BatchNormalization) or not layer.weights:
        return ()
    return None
