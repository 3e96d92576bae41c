"""Which layers of an integer file compute in float: rules of a `.tflite` variant."""

from __future__ import annotations

from typing import Literal

from tfopt.core.config.layer_rules import LayerRule
from tfopt.core.config.quantization_modes import MODES


class FileRule(LayerRule):
    """How a file computes a layer."""

    quantize: Literal["none", "int8"]
    """`none`: in float, with float weights; `int8`: as the file does by itself."""

    @property
    def keeps_float(self) -> bool:
        """Whether the layer computes in float."""
        return not MODES[self.quantize].integer_only
