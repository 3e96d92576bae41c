"""What a qat stage asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.block import Block
from tfopt.core.layers import LayerRule


class QuantizeRule(LayerRule):
    """Which layers are simulated in 8 bits during training."""

    skip: bool
    """True: not simulated in training; the converter still quantizes the layer after training."""


class Quantization(Block):
    """Everything `tfopt.backend.quantization` needs to know besides how to train."""

    calibration: Annotated[int, Field(ge=1)] = 256
    """Training examples that set the activation ranges before the first step."""
    layers: tuple[QuantizeRule, ...] = ()
    """Ordered rules; the last that matches a layer wins."""
