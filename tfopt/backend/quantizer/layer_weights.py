"""Which operators the weights of a Keras layer will be read by, known before the conversion."""

from __future__ import annotations

from dataclasses import dataclass

import tf_keras
from tf_keras import layers

from tfopt.core.config.files.weight_kernels import reason_no_kernel
from tfopt.core.config.quantization_modes import BELOW_8_BITS, MODES

_SMALL = {name: mode for name, mode in MODES.items() if mode.weights in BELOW_8_BITS}

UNKNOWN_ROW = 0
"""The length of a row that only the conversion tells; 0 can be divided by every size of a block."""


@dataclass(frozen=True)
class Weights:
    """Weights of a layer.

    Args:
        operator: TFLite's name of the operator that reads them.
        row: as in `tfopt.core.config.files.weight_kernels.reason_no_kernel`.
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


def modes_below_8_bits(layer: tf_keras.layers.Layer) -> tuple[str, ...] | None:
    """The modes with weights below 8 bits that a kernel reads for a layer, or for a part of it.

    Args:
        layer: built.

    Returns:
        Names of modes; None where only the conversion tells.
    """
    weights = weights_of(layer)
    if weights is None:
        return None
    return tuple(
        name
        for name, mode in _SMALL.items()
        if any(reason_no_kernel(mode, each.operator, each.row) is None for each in weights)
    )
