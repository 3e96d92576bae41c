"""The table of all rewrites: the only place through which the canonical form finds them.

A new rewrite is one file in `rewrites/` with one class, and its place in `PASSES`. A pass is repeated until none of its
rewrites applies to any layer, before the next one starts: so a pass sees what those before it made. Within a pass, the
first rewrite that applies to a layer is taken.
"""

from __future__ import annotations

from tfopt.backend.quantization.canonical.rewrite import Rewrite
from tfopt.backend.quantization.canonical.rewrites.attention.grouped_query_attention import GroupedQueryAttention
from tfopt.backend.quantization.canonical.rewrites.attention.multi_head_attention import MultiHeadAttention
from tfopt.backend.quantization.canonical.rewrites.attention.own_attention import OwnGroupedQueryAttention
from tfopt.backend.quantization.canonical.rewrites.attention.single_head import SingleHeadAttention
from tfopt.backend.quantization.canonical.rewrites.average import Average
from tfopt.backend.quantization.canonical.rewrites.binary_merges import BinaryMerges
from tfopt.backend.quantization.canonical.rewrites.conv1d import Conv1D
from tfopt.backend.quantization.canonical.rewrites.conv1d_transpose import Conv1DTranspose
from tfopt.backend.quantization.canonical.rewrites.dense import Dense
from tfopt.backend.quantization.canonical.rewrites.depthwise_conv1d import DepthwiseConv1D
from tfopt.backend.quantization.canonical.rewrites.dilated_conv2d import Dilation
from tfopt.backend.quantization.canonical.rewrites.einsum_dense import EinsumDense
from tfopt.backend.quantization.canonical.rewrites.exponentials import Elu, Softplus
from tfopt.backend.quantization.canonical.rewrites.kernel_activation import SeparateActivation
from tfopt.backend.quantization.canonical.rewrites.min_max import MinMax
from tfopt.backend.quantization.canonical.rewrites.normalization.batch_normalization import StandaloneBatchNormalization
from tfopt.backend.quantization.canonical.rewrites.normalization.batch_normalization_folding import (
    FoldedBatchNormalization,
    KernelWithBatchNormalization,
)
from tfopt.backend.quantization.canonical.rewrites.normalization.layer_scale import LayerScale
from tfopt.backend.quantization.canonical.rewrites.normalization.normalization import LayerNormalization, RootMeanSquare
from tfopt.backend.quantization.canonical.rewrites.normalization.rescaling import ScaleAndShift
from tfopt.backend.quantization.canonical.rewrites.operators.activations import Activations
from tfopt.backend.quantization.canonical.rewrites.operators.arithmetic import ArithmeticWithConstant, BinaryArithmetic
from tfopt.backend.quantization.canonical.rewrites.operators.concat import Concat
from tfopt.backend.quantization.canonical.rewrites.operators.keras3_attention import (
    DotProductAttention,
    Einsum,
    MaskAdded,
    MaskedSoftmax,
    ScoresChosen,
)
from tfopt.backend.quantization.canonical.rewrites.operators.mean import Mean
from tfopt.backend.quantization.canonical.rewrites.operators.pad import Pad
from tfopt.backend.quantization.canonical.rewrites.operators.reshape import Reshape
from tfopt.backend.quantization.canonical.rewrites.operators.slicing import StridedSlice
from tfopt.backend.quantization.canonical.rewrites.operators.transpose import Transpose
from tfopt.backend.quantization.canonical.rewrites.recurrent.bidirectional_lstm import BidirectionalLSTM
from tfopt.backend.quantization.canonical.rewrites.recurrent.concatenated_lstms import ConcatenatedLSTMs
from tfopt.backend.quantization.canonical.rewrites.recurrent.recurrent_inputs import ReshapeBeforeLoop
from tfopt.backend.quantization.canonical.rewrites.reversible_embedding import (
    OwnTiedEmbedding,
    OwnTiedLogits,
    ReversibleEmbedding,
)
from tfopt.backend.quantization.canonical.rewrites.separable_conv1d import SeparableConv1D
from tfopt.backend.quantization.canonical.rewrites.separable_conv2d import SeparableConv2D
from tfopt.backend.quantization.canonical.rewrites.sequence_layers import SequenceLayers
from tfopt.backend.quantization.canonical.rewrites.stay_in_4d import RemoveRoundTrip, StayIn4D

_STAY_IN_4D = (StayIn4D(), RemoveRoundTrip())

PASSES: tuple[tuple[Rewrite, ...], ...] = (
    (
        ArithmeticWithConstant(),
        BinaryArithmetic(),
        Activations(),
        Concat(),
        Mean(),
        Reshape(),
        Transpose(),
        Pad(),
        StridedSlice(),
    ),
    (Average(),),
    (BinaryMerges(),),
    (MaskAdded(), ScoresChosen()),
    (Einsum(), MaskedSoftmax(), DotProductAttention(), ReversibleEmbedding(), OwnTiedEmbedding(), OwnTiedLogits()),
    (
        MultiHeadAttention(),
        SingleHeadAttention(),
        GroupedQueryAttention(),
        OwnGroupedQueryAttention(),
        EinsumDense(),
        MinMax(),
        BidirectionalLSTM(),
    ),
    (LayerNormalization(), RootMeanSquare()),
    (ConcatenatedLSTMs(),),
    (ReshapeBeforeLoop(),),
    (Conv1D(), Conv1DTranspose(), DepthwiseConv1D(), SeparableConv1D(), Dense(), SequenceLayers()),
    _STAY_IN_4D,
    (SeparableConv2D(),),
    (SeparateActivation(),),
    (Elu(), Softplus()),
    (Dilation(),),
    (KernelWithBatchNormalization(), FoldedBatchNormalization()),
    (StandaloneBatchNormalization(), ScaleAndShift(), LayerScale()),
    _STAY_IN_4D,
)
"""What one pass makes, a later one sees: an Average becomes Add and Rescaling here, and Rescaling a kernel below."""
