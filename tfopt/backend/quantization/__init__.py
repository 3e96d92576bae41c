"""Quantization-aware training in 8 bits: tfmot's wrappers with a corrected scheme.

| file | question it answers |
|---|---|
| `registry` | how is a layer of this type rounded? The table to extend |
| `annotation` | which layers of this model are simulated? |
| `staying_float` | which layers compute in float in the file, and why? |
| `looking_ahead` | what is knowable before training? |
| `placement` | which layers become one operator, and where is it rounded? |
| `quantizers`, `configs` | how are numbers rounded, and what does tfmot's wrapper want to know? |
| `preserving` | what do the weights keep from earlier stages? |
| `transforms`, `scheme` | how is the graph changed before it is wrapped? |
| `wrapping`, `calibration`, `train`, `quantized` | wrap and strip, set ranges, train, save and load |
"""

from tfopt.backend.quantization.annotation import layer_treatments
from tfopt.backend.quantization.canonical.lstm_scales import shared_scale_layers
from tfopt.backend.quantization.float_fallback import float_layers, not_convertible
from tfopt.backend.quantization.preflight import look_ahead
from tfopt.backend.quantization.quantized import Quantized, is_quantized, load_quantized, save_quantized

__all__ = [
    "Quantized",
    "float_layers",
    "is_quantized",
    "layer_treatments",
    "load_quantized",
    "look_ahead",
    "not_convertible",
    "save_quantized",
    "shared_scale_layers",
]
