"""Layers that an int16x8 file computes in float, because litert-quantizer has no such form of their operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.backend.audit.tflite import is_conversion
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantizer.choices import reason_float
from tfopt.backend.quantizer.engine import writes
from tfopt.backend.quantizer.operators import operators
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.quantization_modes import Mode


def float_parts(path: Path, mode: Mode, names: Sequence[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Reasons by layer; an operator in float that has an integer form is no reason.

    Args:
        path: the file.
        mode: its mode, with integer activations.
        names: Keras names of all layers of the model.
        aliases: layers of the model by names of the layers that compute them.
    """
    found: dict[str, dict[str, None]] = {}
    for operator in operators(flatbuffer.read(path), LayerNames(names, aliases)):
        if operator.floats and operator.layer is not None and not is_conversion(operator.name):
            reason = reason_float(operator)
            if reason is None and not writes(operator.name, mode):
                reason = f"litert-quantizer has no {mode.activations} form of {operator.name}"
            if reason is not None:
                found.setdefault(operator.layer, {})[reason] = None
    return {layer: ", ".join(reasons) for layer, reasons in found.items()}
