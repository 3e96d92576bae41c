"""Quantization-aware training in 8 bits: tfmot's wrappers with a corrected scheme.

To fix how a layer is quantized: `canonical/rewrites/<layer>.py` (by which layers it is computed), then `registry` (what
is rounded at each of those), and nothing else.

| file | question it answers |
|---|---|
| `registry` | what is rounded at a layer of this type? The table to extend |
| `canonical/` | which form must a model have so that tfmot can simulate all of it? |
| `annotation` | which layers of a model are simulated, and what is done with the others? |
| `float_fallback` | which layers compute in float in an int8 file, and why? |
| `traced_floats` | which operators without an integer kernel are inside layers of users, operations and functions? |
| `own_functions` | what does an activation function of the user's own compute? |
| `integer_form` | what is an int8 file of a model with masks converted from, without a qat stage? |
| `masked_softmax` | how are scores masked for 8 bits inside of layers that are not opened? |
| `preflight` | which problems and warnings of a qat stage are known before training? |
| `fusion` | which layers become one operator, and at which of them is its output rounded? |
| `lstm/` | how does an LSTM round as TFLite's operator for it? |
| `quantizers`, `configs` | how are values rounded, and what does tfmot's wrapper ask for? |
| `weight_constraints` | how do zeros and clusters of earlier stages survive? |
| `scheme`, `transforms` | how does tfmot get the roundings, and how are the inputs rounded? |
| `wrapping`, `calibration` | how is a model wrapped and stripped, and where do the first ranges come from? |
| `same_range`, `in_file` | how are averages rounded, and what is left out where a file is made? |
| `producer_ranges` | how does a layer round with the range of its input, as some operators do? |
| `input_ranges` | how does an input of the file get the range that training learned? |
| `quantized` | what is a quantized model, and which files is it stored in? |
"""

from tfopt.backend.quantization.annotation import layer_treatments
from tfopt.backend.quantization.float_fallback import float_layers
from tfopt.backend.quantization.integer_form import integer_form
from tfopt.backend.quantization.quantized import Quantized, is_quantized, load_quantized, save_quantized

__all__ = [
    "Quantized",
    "float_layers",
    "integer_form",
    "is_quantized",
    "layer_treatments",
    "load_quantized",
    "save_quantized",
]
