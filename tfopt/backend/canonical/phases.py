"""All rewrites, in order.

A group is applied until none of its rewrites finds a layer, before the next group is tried: so what one group makes,
a later one sees. Within a group the first rewrite that applies to a layer is taken.
"""

from __future__ import annotations

from tfopt.backend.canonical.activation import ActivationOfItsOwn
from tfopt.backend.canonical.arithmetic import OfTwo, WithConstant
from tfopt.backend.canonical.attention import MultiHeadAttention
from tfopt.backend.canonical.average import Average
from tfopt.backend.canonical.conv1d import Conv1D
from tfopt.backend.canonical.conv1d_transpose import Conv1DTranspose
from tfopt.backend.canonical.dense import DenseOnImages
from tfopt.backend.canonical.depthwise_conv1d import DepthwiseConv1D, SeparableConv1D
from tfopt.backend.canonical.dilation import Dilation
from tfopt.backend.canonical.einsum_dense import EinsumDense
from tfopt.backend.canonical.exponentials import Elu, Softplus
from tfopt.backend.canonical.extremes import Extremes
from tfopt.backend.canonical.folding import FoldedKernel, FoldedNormalization
from tfopt.backend.canonical.functions import Function
from tfopt.backend.canonical.joining import Concatenation, Mean
from tfopt.backend.canonical.layer_scale import LayerScale
from tfopt.backend.canonical.lifting import NoDetour, StaysOnImages
from tfopt.backend.canonical.loops import LoopBehindReshape
from tfopt.backend.canonical.nary import NaryMerge
from tfopt.backend.canonical.normalization import LoneBatchNormalization
from tfopt.backend.canonical.recurrent import BidirectionalLSTM, ConcatenatedLSTMs
from tfopt.backend.canonical.rescaling import Preprocessing
from tfopt.backend.canonical.rewrite import Rewrite
from tfopt.backend.canonical.separable_conv2d import SeparableConv2D
from tfopt.backend.canonical.sequences import SequencesOnImages
from tfopt.backend.canonical.shaping import Padding, Shape, Transpose
from tfopt.backend.canonical.slicing import Slicing

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
