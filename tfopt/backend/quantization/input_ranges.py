"""One range for each input of a quantized model: the one that training learned is the one that the file has.

The converter computes ranges from the calibration examples, also where training learned one. Where the two differ at an
input, the file can get a DEQUANTIZE and a QUANTIZE between them, in float (TF 2.21): training sees all batches, and
calibration a few examples. So the examples are made to show exactly what was learned.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tf_keras

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.quantization.canonical.weights import named
from tfopt.backend.quantization.transforms import rounded_name
from tfopt.backend.types import Array


def input_ranges(model: tf_keras.Model) -> dict[str, tuple[float, float]]:
    """The lowest and the highest value of each rounded input, by its Keras name.

    Args:
        model: simulates 8 bits. An input of integers, or one that only feeds layers that are not simulated, has none.
    """
    rounded = {layer.name: layer for layer in model.layers if isinstance(layer, QuantizeLayer)}
    found: dict[str, tuple[float, float]] = {}
    for name in model.input_names:
        if rounded_name(name) in rounded:
            values = named(rounded[rounded_name(name)])
            low, high = (next(float(values[leaf]) for leaf in values if leaf.endswith(end)) for end in ("_min", "_max"))
            found[name] = low, high
    return found


def with_ranges(examples: Mapping[str, Array], ranges: Mapping[str, tuple[float, float]]) -> dict[str, Array]:
    """Calibration examples whose values reach from the lowest to the highest of each range, and no further.

    Values beyond are clipped, as the file does; where none reaches an end, the nearest one is moved to it. That changes
    at most two numbers of each input, to values that training has seen.

    Args:
        examples: by input name, (examples, ...).
        ranges: by input name; inputs without one stay as they are.
    """
    return {name: _reaching(values, *ranges[name]) if name in ranges else values for name, values in examples.items()}


def _reaching(values: Array, low: float, high: float) -> Array:
    reaching = np.clip(values, low, high).astype(values.dtype)
    reaching.flat[reaching.argmin()] = low
    reaching.flat[reaching.argmax()] = high
    return reaching
