"""Which layer types are simulated in 8 bits, and what is rounded at each: the table to extend for a new type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tensorflow_model_optimization.quantization.keras import QuantizeConfig, QuantizeRegistry
from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer
from tf_keras import layers

from tfopt.backend.graph.connections import function_name
from tfopt.backend.layers import PositionEmbedding
from tfopt.backend.quantization.canonical.custom_layers import (
    DilatedConv2D,
    HeadContext,
    HeadScores,
    InsertAxes,
    LogOfOnePlus,
    RemoveAxes,
    RepeatHeads,
    Slice,
    SwappedHalves,
    TimesTable,
)
from tfopt.backend.quantization.canonical.mask_layers import (
    AllMasks,
    AttentionMask,
    CausalMask,
    JoinedMasks,
    KeptWeights,
    MaskedAdditiveAttention,
    MaskedAttention,
    MaskedMean,
    MaskedScores,
    NotEqual,
    WithoutMask,
    ZeroPadded,
)
from tfopt.backend.quantization.canonical.normalization_layers import (
    InverseRoot,
    LastMean,
    PlusEpsilon,
    SumOfSquares,
    Times,
)
from tfopt.backend.quantization.canonical.table_layers import (
    Table,
    TableOfProducts,
    TakeRows,
    TimesRows,
)
from tfopt.backend.quantization.configs import NothingConfig, OutputConfig, WeightConfig
from tfopt.backend.quantization.float_fallback import FLOAT_FUNCTIONS, float_reason
from tfopt.backend.quantization.own_functions import computes_in_integers
from tfopt.backend.quantization.quantizers import (
    ActivationQuantizer,
    ConstantQuantizer,
    DivisorQuantizer,
    FixedQuantizer,
    InputQuantizer,
    KernelQuantizer,
    TensorQuantizer,
    Unrounded,
)
from tfopt.backend.quantization.same_range import SameRangeQuantizer
from tfopt.backend.quantization.weight_constraints import WeightConstraints, constrained_quantizer


@dataclass(frozen=True)
class Rounding:
    """What is rounded at a layer of some type that is not fused with others.

    Args:
        weight: attribute that holds the weight to round; None for none.
        quantizer: how that weight is rounded.
        output: round the output of the layer; or how, where that is not by a range that training learns.
    """

    weight: str | None = None
    quantizer: Quantizer | None = None
    output: bool | Callable[[], Quantizer] = False


OUTPUT = Rounding(output=True)
"""The layer computes new values, which need a scale."""
SAME_RANGE = Rounding(output=SameRangeQuantizer)
"""The layer computes new values, which have the scale of its input in TFLite."""
NOTHING = Rounding()
"""The layer moves or picks values, or its output has a fixed scale in TFLite."""

ROUNDINGS: Mapping[type, Rounding] = {
    # Kernels
    layers.Conv2D: Rounding("kernel", KernelQuantizer(3), output=True),
    DilatedConv2D: Rounding("kernel", KernelQuantizer(3), output=True),
    layers.DepthwiseConv2D: Rounding("depthwise_kernel", KernelQuantizer(2, 3), output=True),
    layers.Conv2DTranspose: Rounding("kernel", KernelQuantizer(2), output=True),
    layers.Dense: Rounding("kernel", KernelQuantizer(1), output=True),
    layers.EinsumDense: Rounding("kernel", TensorQuantizer(), output=True),
    layers.Embedding: Rounding("embeddings", Unrounded(), output=InputQuantizer),
    PositionEmbedding: Rounding("embeddings", ConstantQuantizer(), output=True),
    Table: Rounding("table", Unrounded()),
    TableOfProducts: Rounding(output=partial(KernelQuantizer, 0)),
    TakeRows: Rounding(output=InputQuantizer),
    TimesRows: OUTPUT,
    # Kernels in one dimension, where they are not rewritten in two
    layers.Conv1D: Rounding("kernel", KernelQuantizer(2), output=True),
    layers.Conv1DTranspose: Rounding("kernel", KernelQuantizer(1), output=True),
    layers.DepthwiseConv1D: Rounding("depthwise_kernel", KernelQuantizer(1, 2), output=True),
    layers.SeparableConv1D: OUTPUT,
    layers.LocallyConnected1D: OUTPUT,
    layers.LocallyConnected2D: OUTPUT,
    layers.TimeDistributed: OUTPUT,
    # Arithmetic
    layers.Add: OUTPUT,
    layers.Average: OUTPUT,
    layers.Concatenate: OUTPUT,
    layers.Dot: OUTPUT,
    layers.Maximum: OUTPUT,
    layers.Multiply: OUTPUT,
    layers.Subtract: OUTPUT,
    # Attention and normalization
    layers.AdditiveAttention: OUTPUT,
    layers.Attention: OUTPUT,
    layers.LayerNormalization: OUTPUT,
    layers.Normalization: OUTPUT,
    layers.Rescaling: OUTPUT,
    layers.UnitNormalization: NOTHING,
    HeadContext: OUTPUT,
    HeadScores: OUTPUT,
    InverseRoot: OUTPUT,
    LastMean: OUTPUT,
    PlusEpsilon: Rounding(output=DivisorQuantizer),
    SumOfSquares: OUTPUT,
    SwappedHalves: NOTHING,
    Times: OUTPUT,
    TimesTable: Rounding("factors", ConstantQuantizer(), output=True),
    # Masks
    AllMasks: NOTHING,
    AttentionMask: NOTHING,
    CausalMask: NOTHING,
    JoinedMasks: NOTHING,
    KeptWeights: NOTHING,
    MaskedAdditiveAttention: OUTPUT,
    MaskedAttention: OUTPUT,
    MaskedMean: OUTPUT,
    MaskedScores: OUTPUT,
    NotEqual: NOTHING,
    WithoutMask: NOTHING,
    ZeroPadded: OUTPUT,
    # Activations
    LogOfOnePlus: OUTPUT,
    layers.LeakyReLU: OUTPUT,
    layers.PReLU: OUTPUT,
    layers.ReLU: OUTPUT,
    layers.Softmax: NOTHING,
    # Pooling and resizing
    layers.AveragePooling1D: SAME_RANGE,
    layers.AveragePooling2D: SAME_RANGE,
    layers.GlobalAveragePooling1D: OUTPUT,
    layers.GlobalAveragePooling2D: OUTPUT,
    layers.GlobalAveragePooling3D: OUTPUT,
    layers.Resizing: SAME_RANGE,
    layers.UpSampling2D: SAME_RANGE,
    layers.GlobalMaxPooling1D: NOTHING,
    layers.GlobalMaxPooling2D: NOTHING,
    layers.GlobalMaxPooling3D: NOTHING,
    layers.MaxPooling1D: NOTHING,
    layers.MaxPooling2D: NOTHING,
    # Shapes
    layers.CenterCrop: NOTHING,
    layers.Cropping1D: NOTHING,
    layers.Cropping2D: NOTHING,
    layers.Cropping3D: NOTHING,
    layers.Flatten: NOTHING,
    layers.Permute: NOTHING,
    layers.RepeatVector: NOTHING,
    layers.Reshape: NOTHING,
    layers.UpSampling1D: NOTHING,
    layers.UpSampling3D: NOTHING,
    layers.ZeroPadding1D: NOTHING,
    layers.ZeroPadding2D: NOTHING,
    layers.ZeroPadding3D: NOTHING,
    InsertAxes: NOTHING,
    RemoveAxes: NOTHING,
    RepeatHeads: NOTHING,
    Slice: NOTHING,
    # Active during training only
    layers.ActivityRegularization: NOTHING,
    layers.AlphaDropout: NOTHING,
    layers.Dropout: NOTHING,
    layers.GaussianDropout: NOTHING,
    layers.GaussianNoise: NOTHING,
    layers.SpatialDropout1D: NOTHING,
    layers.SpatialDropout2D: NOTHING,
    layers.SpatialDropout3D: NOTHING,
}

ACTIVATIONS: Mapping[str, Rounding] = {
    "linear": NOTHING,
    "exponential": OUTPUT,
    "gelu": OUTPUT,
    "gelu_tanh": OUTPUT,
    "hard_sigmoid": OUTPUT,
    "leaky_relu": OUTPUT,
    "mish": OUTPUT,
    "relu": OUTPUT,
    "relu6": OUTPUT,
    "selu": OUTPUT,
    "sigmoid": NOTHING,
    "silu": OUTPUT,
    "softmax": NOTHING,
    "softplus": OUTPUT,
    "softsign": OUTPUT,
    "swish": OUTPUT,
    "tanh": NOTHING,
    "keras3_celu": OUTPUT,
    "keras3_gelu_approximate": OUTPUT,
    "keras3_hard_sigmoid": OUTPUT,
    "keras3_hard_silu": OUTPUT,
    "keras3_hard_tanh": OUTPUT,
    "keras3_leaky_relu": OUTPUT,
    "keras3_sparse_sigmoid": OUTPUT,
}
"""What is rounded at layers of type Activation, by function.

Without a scale from training, the converter leaves 3 of the 19 HARD_SWISH of MobileNetV3Small float, with calibration
data too. Functions of Keras 3 that are not listed: the converter refuses the rounded result of `hard_shrink`,
`log_sigmoid`, `soft_shrink` and `sparse_plus` (RuntimeError), and makes `tanh_shrink` wrong.
"""

ROUNDED_BEFORE = frozenset({"sigmoid", "softmax", "tanh"})
"""Functions inside a kernel's layer that are separate operators in TFLite, whose input needs a scale."""
FIXED_RANGES: Mapping[str, tuple[float, float]] = {
    "sigmoid": (0.0, 255 / 256),
    "softmax": (0.0, 255 / 256),
    "tanh": (-1.0, 127 / 128),
}
"""Functions whose output has the same scale in every TFLite file, with the range of its 8 bits."""


def rounding(layer: layers.Layer) -> Rounding | None:
    """What is rounded at a layer; None if it is not simulated."""
    if float_reason(layer) and getattr(ROUNDINGS.get(type(layer)), "weight", None) is None:
        return None
    if type(layer) is layers.Activation:
        return ACTIVATIONS.get(function_name(layer), OUTPUT if computes_in_integers(layer) else None)
    return ROUNDINGS.get(type(layer))


class EightBitRegistry(QuantizeRegistry):
    """Returns to tfmot the config of each layer of one model.

    Args:
        constraints: what the weights must keep.
        annotated: the layers to simulate. tfmot also asks about un-annotated layers that feed an annotated one, to
            round their outputs; a layer that a rule skips must stay as it is.
    """

    def __init__(self, constraints: WeightConstraints, annotated: frozenset[str]) -> None:
        self._constraints = constraints
        self._annotated = annotated

    def supports(self, layer: layers.Layer) -> bool:
        return layer.name in self._annotated and rounding(layer) is not None

    def get_quantize_config(self, layer: layers.Layer) -> QuantizeConfig:
        """The config of a layer that is not fused with others."""
        return self.config(layer, output=True)

    def config(self, layer: layers.Layer, output: bool, read_outside: bool = False) -> QuantizeConfig:
        """The config of a layer at its position in an operator.

        Args:
            layer: a built layer.
            output: False where a layer that follows rounds the output of both.
            read_outside: the model returns the layer's result, or a layer that is not simulated reads it. Results of a
                fixed scale are not rounded there: a loss, or a logarithm, needs probabilities other than 0.
        """
        rounded = rounding(layer)
        quantizer = _output_quantizer(layer, rounded, read_outside) if output else None
        if rounded is None or rounded.weight is None or rounded.quantizer is None:
            return NothingConfig() if quantizer is None else OutputConfig(quantizer)
        return WeightConfig(
            rounded.weight,
            constrained_quantizer(rounded.quantizer, getattr(layer, rounded.weight), self._constraints),
            before_activation=function_name(layer) in ROUNDED_BEFORE,
            output=quantizer,
        )


def _output_quantizer(layer: layers.Layer, rounded: Rounding | None, read_outside: bool) -> Quantizer | None:
    """How the output of a layer is rounded; None for not."""
    function = "softmax" if type(layer) is layers.Softmax else function_name(layer)
    if function in FIXED_RANGES:
        return None if read_outside else FixedQuantizer(*FIXED_RANGES[function])
    if function in FLOAT_FUNCTIONS or not (rounded is None or rounded.output):
        return None
    if rounded is not None and callable(rounded.output):
        return rounded.output()
    return ActivationQuantizer()
