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
        output: how the output of the layer is rounded; None for not. tfmot rounds inside the layer's activation
            instead and rejects all functions except five; rounding the output makes the same graph, and works with any
            function.
    """

    def __init__(self, weight: str, quantizer: Quantizer, before_activation: bool, output: Quantizer | None) -> None:
        super().__init__([weight], ["activation"] if before_activation else [], output is not None)
        self.weight_quantizer = quantizer
        self.activation_quantizer = ActivationQuantizer()
        self._output = output

    def get_output_quantizers(self, layer: layers.Layer) -> list[Quantizer]:
        return [] if self._output is None else [self._output]


class OutputConfig(Default8BitOutputQuantizeConfig):
    """Rounds the output of the layer.

    Args:
        quantizer: how.
    """

    def __init__(self, quantizer: Quantizer) -> None:
        super().__init__()
        self._quantizer = quantizer

    def get_output_quantizers(self, layer: layers.Layer) -> list[Quantizer]:
        return [self._quantizer]


class NothingConfig(NoOpQuantizeConfig):
    """Rounds nothing: values keep the scale of the input, or are rounded later in the same operator."""
