"""Of tfmot's quantization-aware training: the layers that it inserts, and its classes for 8 bits.

What `tensorflow_model_optimization.quantization.keras` exports is public, and imported from there.
"""

from tensorflow_model_optimization.python.core.quantization.keras.default_8bit.default_8bit_quantize_configs import (
    Default8BitOutputQuantizeConfig,
    NoOpQuantizeConfig,
)
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit.default_8bit_quantize_registry import (
    Default8BitQuantizeConfig,
)
from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import QuantizeLayer
from tensorflow_model_optimization.python.core.quantization.keras.quantize_wrapper import QuantizeWrapperV2

__all__ = [
    "Default8BitOutputQuantizeConfig",
    "Default8BitQuantizeConfig",
    "NoOpQuantizeConfig",
    "QuantizeLayer",
    "QuantizeWrapperV2",
]
