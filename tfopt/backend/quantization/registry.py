"""Which layers are simulated in 8 bits, and how: the table to extend for a new layer type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tensorflow_model_optimization.quantization.keras import QuantizeConfig, QuantizeRegistry
from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer
from tf_keras import layers

from tfopt.backend.graph.connections import function_name
from tfopt.backend.quantization.canonical.custom_layers import (
    DilatedConv2D,
    HeadContext,
    HeadScores,
    InsertAxes,
    LogOfOnePlus,
    RemoveAxes,
    Slice,
)
from tfopt.backend.quantization.configs import NothingConfig, OutputConfig, WeightConfig
from tfopt.backend.quantization.float_fallback import FLOAT_FUNCTIONS, float_reason
from tfopt.backend.quantization.quantizers import (
    ChannelQuantizer,
    DepthwiseQuantizer,
    TensorQuantizer,
    TransposeQuantizer,
)
from tfopt.backend.quantization.weight_constraints import Preserve, preserving


@dataclass(frozen=True)
class Treatment:
    """What is rounded at a layer of some type when it stands alone.

    Args:
        weight: attribute that holds the weight to round; None for none.
        quantizer: makes the quantizer of that weight.
        output: round what the layer returns.
    """

    weight: str | None = None
    quantizer: Callable[[], Quantizer] | None = None
    output: bool = False


OUTPUT = Treatment(output=True)
"""Computes new numbers: they get a scale of their own."""
PASS = Treatment()
"""Moves or picks numbers, or has a fixed scale in TFLite: nothing to round."""

TREATMENTS: Mapping[type, Treatment] = {
    # Kernels
    layers.Conv2D: Treatment("kernel", ChannelQuantizer, output=True),
    DilatedConv2D: Treatment("kernel", ChannelQuantizer, output=True),
    layers.DepthwiseConv2D: Treatment("depthwise_kernel", DepthwiseQuantizer, output=True),
    layers.Conv2DTranspose: Treatment("kernel", TransposeQuantizer, output=True),
    layers.Dense: Treatment("kernel", TensorQuantizer, output=True),
    layers.EinsumDense: Treatment("kernel", TensorQuantizer, output=True),
    layers.Embedding: Treatment("embeddings", TensorQuantizer),
    # Kernels in one dimension, where they are not rewritten in two: tfmot's per-channel quantizer fails on three axes
    layers.Conv1D: Treatment("kernel", TensorQuantizer, output=True),
    layers.Conv1DTranspose: Treatment("kernel", TensorQuantizer, output=True),
    layers.DepthwiseConv1D: Treatment("depthwise_kernel", TensorQuantizer, output=True),
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
    layers.UnitNormalization: PASS,
    HeadContext: OUTPUT,
    HeadScores: OUTPUT,
    # Activations
    LogOfOnePlus: OUTPUT,
    layers.LeakyReLU: OUTPUT,
    layers.PReLU: OUTPUT,
    layers.ReLU: OUTPUT,
    layers.Softmax: PASS,
    # Pooling and resizing
    layers.AveragePooling1D: OUTPUT,
    layers.AveragePooling2D: OUTPUT,
    layers.GlobalAveragePooling1D: OUTPUT,
    layers.GlobalAveragePooling2D: OUTPUT,
    layers.GlobalAveragePooling3D: OUTPUT,
    layers.Resizing: OUTPUT,
    layers.UpSampling2D: OUTPUT,
    layers.GlobalMaxPooling1D: PASS,
    layers.GlobalMaxPooling2D: PASS,
    layers.GlobalMaxPooling3D: PASS,
    layers.MaxPooling1D: PASS,
    layers.MaxPooling2D: PASS,
    # Shapes
    layers.CenterCrop: PASS,
    layers.Cropping1D: PASS,
    layers.Cropping2D: PASS,
    layers.Cropping3D: PASS,
    layers.Flatten: PASS,
    layers.Permute: PASS,
    layers.RepeatVector: PASS,
    layers.Reshape: PASS,
    layers.UpSampling1D: PASS,
    layers.UpSampling3D: PASS,
    layers.ZeroPadding1D: PASS,
    layers.ZeroPadding2D: PASS,
    layers.ZeroPadding3D: PASS,
    InsertAxes: PASS,
    RemoveAxes: PASS,
    Slice: PASS,
    # Only at work during training
    layers.ActivityRegularization: PASS,
    layers.AlphaDropout: PASS,
    layers.Dropout: PASS,
    layers.GaussianDropout: PASS,
    layers.GaussianNoise: PASS,
    layers.SpatialDropout1D: PASS,
    layers.SpatialDropout2D: PASS,
    layers.SpatialDropout3D: PASS,
}

ACTIVATIONS: Mapping[str, Treatment] = {
    "linear": PASS,
    "exponential": OUTPUT,
    "gelu": OUTPUT,
    "hard_sigmoid": OUTPUT,
    "leaky_relu": OUTPUT,
    "mish": OUTPUT,
    "relu": OUTPUT,
    "relu6": OUTPUT,
    "selu": OUTPUT,
    "sigmoid": PASS,
    "silu": OUTPUT,
    "softmax": PASS,
    "softplus": OUTPUT,
    "softsign": OUTPUT,
    "swish": OUTPUT,
    "tanh": PASS,
    "keras3_celu": OUTPUT,
    "keras3_hard_sigmoid": OUTPUT,
    "keras3_hard_silu": OUTPUT,
    "keras3_hard_tanh": OUTPUT,
    "keras3_leaky_relu": OUTPUT,
    "keras3_sparse_sigmoid": OUTPUT,
}
"""Layers of type Activation, by function.

Without a scale from training, the converter leaves 3 of the 19 HARD_SWISH of MobileNetV3Small float, with calibration
data too. Functions of Keras 3 that are not listed: the converter refuses the rounded result of `hard_shrink`,
`log_sigmoid`, `soft_shrink` and `sparse_plus` (RuntimeError), and makes `tanh_shrink` wrong.
"""

ROUNDED_BEFORE = frozenset({"gelu", "sigmoid", "softmax", "tanh"})
"""Functions inside a kernel's layer that are separate operators in TFLite, whose input needs a scale."""
FIXED_SCALE = frozenset({"sigmoid", "softmax", "tanh"})
"""Functions whose result has the same scale in every TFLite file."""


def treatment(layer: Any) -> Treatment | None:
    """How a layer is rounded; None for a layer that is not simulated."""
    if float_reason(layer) and getattr(TREATMENTS.get(type(layer)), "weight", None) is None:
        return None
    if type(layer) is layers.Activation:
        return ACTIVATIONS.get(function_name(layer))
    return TREATMENTS.get(type(layer))


class EightBitRegistry(QuantizeRegistry):
    """Gives tfmot the config of each layer of one model.

    Args:
        preserve: what the weights must not lose.
        annotated: the layers to simulate. tfmot also asks about un-annotated layers that feed an annotated one, to
            round their results; a layer that a rule skips is left alone.
    """

    def __init__(self, preserve: Preserve, annotated: frozenset[str]) -> None:
        self._preserve = preserve
        self._annotated = annotated

    def supports(self, layer: Any) -> bool:
        return layer.name in self._annotated and treatment(layer) is not None

    def get_quantize_config(self, layer: Any) -> QuantizeConfig:
        """The config of a layer that stands alone."""
        return self.config(layer, output=True)

    def config(self, layer: Any, output: bool) -> QuantizeConfig:
        """The config of a layer in its place.

        Args:
            layer: a built layer.
            output: False where a layer that follows rounds the result of both.
        """
        how = treatment(layer)
        if how is None or how.weight is None:
            return OutputConfig() if output and (how is None or how.output) else NothingConfig()
        quantizer = preserving(how.quantizer(), getattr(layer, how.weight), self._preserve)
        function = function_name(layer)
        return WeightConfig(
            how.weight,
            quantizer,
            before_activation=function in ROUNDED_BEFORE,
            output=output and how.output and function not in FIXED_SCALE and function not in FLOAT_FUNCTIONS,
        )
