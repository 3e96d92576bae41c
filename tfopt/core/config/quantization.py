"""What a qat stage can configure: layer rules, calibration, which layers may stay float."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfopt.core.config.layer_rules import LayerRule
from tfopt.core.language.block import Block

FloatPolicy = Literal["forbid", "listed", "allow"]
"""Which layers of an int8 file may compute in float; see `float_layers` of the qat stage."""


class QuantizeRule(LayerRule):
    """Which layers are simulated in 8 bits during training."""

    skip: bool
    """True: not simulated in training; the converter still quantizes the layer after training."""


class Quantization(Block):
    """Keys of the qat stage that are stored with its result, without those of training."""

    calibration: Annotated[int, Field(ge=1)] = 256
    """Training examples that set the activation ranges before the first step."""
    layers: tuple[QuantizeRule, ...] = ()
    """Ordered rules by layer name and/or type; the last that matches wins."""
