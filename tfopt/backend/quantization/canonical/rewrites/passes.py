"""All rewrites, in order.

A group is applied until none of its rewrites finds a layer, before the next group is tried: so what one group makes,
a later one sees. Within a group the first rewrite that applies to a layer is taken.
"""

from __future__ import annotations

from tfopt.backend.quantization.canonical.rewrite import Rewrite
from tfopt.backend.quantization.canonical.rewrites.activation import ActivationOfItsOwn
from tfopt.backend.quantization.canonical.rewrites.arithmetic import OfTwo, WithConstant
from tfopt.backend.quantization.canonical.rewrites.attention import MultiHeadAttention
from tfopt.backend.quantization.canonical.rewrites.average import Average
from tfopt.backend.quantization.canonical.rewrites.binary_merges import NaryMerge
from tfopt.backend.quantization.canonical.rewrites.concat import Concatenation, Mean
from tfopt.backend.quantization.canonical.rewrites.conv1d import Conv1D
from tfopt.backend.quantization.canonical.rewrites.conv1d_transpose import Conv1DTranspose
from tfopt.backend.quantization.canonical.rewrites.dense import DenseOnImages
from tfopt.backend.quantization.canonical.rewrites.depthwise_conv1d import DepthwiseConv1D, SeparableConv1D
from tfopt.backend.quantization.canonical.rewrites.dilation import Dilation
from tfopt.backend.quantization.canonical.rewrites.einsum_dense import EinsumDense
from tfopt.backend.quantization.canonical.rewrites.expand_to_4d import NoDetour, StaysOnImages
from tfopt.backend.quantization.canonical.rewrites.exponentials import Elu, Softplus
from tfopt.backend.quantization.canonical.rewrites.folding import FoldedKernel, FoldedNormalization
from tfopt.backend.quantization.canonical.rewrites.functions import Function
from tfopt.backend.quantization.canonical.rewrites.layer_scale import LayerScale
from tfopt.backend.quantization.canonical.rewrites.min_max import Extremes
from tfopt.backend.quantization.canonical.rewrites.normalization import LoneBatchNormalization
from tfopt.backend.quantization.canonical.rewrites.recurrent import BidirectionalLSTM, ConcatenatedLSTMs
from tfopt.backend.quantization.canonical.rewrites.recurrent_inputs import LoopBehindReshape
from tfopt.backend.quantization.canonical.rewrites.rescaling import Preprocessing
from tfopt.backend.quantization.canonical.rewrites.separable_conv2d import SeparableConv2D
from tfopt.backend.quantization.canonical.rewrites.sequences import SequencesOnImages
from tfopt.backend.quantization.canonical.rewrites.shaping import Padding, Shape, Transpose
from tfopt.backend.quantization.canonical.rewrites.slicing import Slicing

_DETOURS = (StaysOnImages(), NoDetour())

PHASES: tuple[tuple[Rewrite, ...], ...] = (
    (WithConstant(), OfTwo(), Function(), Concatenation(), Mean(), Shape(), Transpose(), Padding(), Slicing()),
    (Average(),),
    (NaryMerge(),),
    (MultiHeadAttention(), EinsumDense(), Extremes(), BidirectionalLSTM()),
    (ConcatenatedLSTMs(),),
    (LoopBehindReshape(),),
    (Conv1D(), Conv1DTranspose(), DepthwiseConv1D(), SeparableConv1D(), DenseOnImages(), SequencesOnImages()),
    _DETOURS,
    (SeparableConv2D(),),
    (ActivationOfItsOwn(),),
    (Elu(), Softplus()),
    (Dilation(),),
    (FoldedKernel(), FoldedNormalization()),
    (LoneBatchNormalization(), Preprocessing(), LayerScale()),
    _DETOURS,
)
