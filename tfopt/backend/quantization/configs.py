"""What is rounded at one layer, as tfmot's wrapper expects it."""

from __future__ import annotations

from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer
from tf_keras import layers

from tfopt.backend.compat.tfmot_quantization import (
    Default8BitOutputQuantizeConfig,
    Default8BitQuantizeConfig,
    NoOpQuantizeConfig,
)
from tfopt.backend.quantization.quantizers import ActivationQuantizer


class WeightConfig(Default8BitQuantizeConfig):
    """Rounds one weight of a layer, and its output.

    Args:
        weight: attribute of the layer that holds the weight.
        quantizer: how the weight is rounded.
        before_activation: round the input of the layer's activation function. For functions whose output has a fixed
            scale in TFLite, such as softmax.
        output: round the output of the layer. tfmot rounds inside the layer's activation instead and rejects all
            functions except five; rounding the output makes the same graph, and works with any function.
    """

    def __init__(self, weight: str, quantizer: Quantizer, before_activation: bool, output: bool) -> None:
        super().__init__([weight], ["activation"] if before_activation else [], output)
        self.weight_quantizer = quantizer
        self.activation_quantizer = ActivationQuantizer()


class OutputConfig(Default8BitOutputQuantizeConfig):
    """Rounds the output of the layer."""

    def get_output_quantizers(self, layer: layers.Layer) -> list[Quantizer]:
        return [ActivationQuantizer()]


class NothingConfig(NoOpQuantizeConfig):
    """Rounds nothing: values keep the scale of the input, or are rounded later in the same operator."""
