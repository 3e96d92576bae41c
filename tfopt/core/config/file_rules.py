"""Which layers of an integer file compute in float: rules of a `.tflite` variant."""

from __future__ import annotations

from typing import Literal

from tfopt.core.config.layer_rules import LayerRule


class FileRule(LayerRule):
    """How a file computes a layer."""

    quantize: Literal["none", "int8"]
    """`none`: in float, with float weights; `int8`: as the file does by itself."""
