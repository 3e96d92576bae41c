"""What is rounded at one layer, in the form that tfmot's wrapper asks for it."""

from __future__ import annotations

from typing import Any

from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer

from tfopt.backend.compat.tfmot_quantization import (
    Default8BitOutputQuantizeConfig,
    Default8BitQuantizeConfig,
    NoOpQuantizeConfig,
)
from tfopt.backend.quantization.quantizers import ActivationQuantizer


class WeightConfig(Default8BitQuantizeConfig):
    """Rounds one weight of a layer, and what comes out.

    Args:
        weight: attribute of the layer that holds the weight.
        quantizer: how the weight is rounded.
        before_activation: round what enters the layer's activation function. For functions whose result has a fixed
            scale in TFLite, such as softmax.
        output: round what the layer returns. tfmot rounds inside the layer's activation instead and refuses all
            but five functions; rounding the output gives the same graph, and takes any function.
    """

    def __init__(self, weight: str, quantizer: Quantizer, before_activation: bool, output: bool) -> None:
        super().__init__([weight], ["activation"] if before_activation else [], output)
        self.weight_quantizer = quantizer
        self.activation_quantizer = ActivationQuantizer()


class OutputConfig(Default8BitOutputQuantizeConfig):
    """Rounds what the layer returns."""

    def get_output_quantizers(self, layer: Any) -> list[Quantizer]:
        return [ActivationQuantizer()]


class NothingConfig(NoOpQuantizeConfig):
    """Rounds nothing: numbers keep the scale they came with, or are rounded further on in the same operator."""
