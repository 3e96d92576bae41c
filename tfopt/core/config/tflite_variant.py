"""What a `.tflite` variant asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share


class Variant(Block):
    """One `.tflite` file."""

    quantize: Literal["none", "float16", "dynamic", "int8"] = "none"
    """`none`: float32; `float16`: half-size weights; `dynamic`: int8 weights and float activations; `int8`: integers
    only."""
    io: Literal["float32", "int8", "uint8"] = "float32"
    """Type of inputs and outputs; int8 and uint8 need `quantize: int8`."""
    calibration: Annotated[int, Field(ge=1)] = 256
    """Training examples given to the converter for activation ranges (int8 only)."""
    sparse: bool = False
    """Store sparse weights in TFLite's sparse format; smaller unzipped, and faster only for patterns a kernel has."""
    agreement: Share | None = None
    """Least share of test examples on which file and Keras model must give the same answer (default: by `quantize`)."""

    @model_validator(mode="after")
    def _fits(self) -> Variant:
        if self.io != "float32" and self.quantize != "int8":
            raise KeyMistake(("io",), f"io: {self.io} needs quantize: int8 (got quantize: {self.quantize})")
        if self.sparse and self.quantize == "dynamic":
            raise KeyMistake(
                ("sparse",),
                "sparse: true cannot be combined with quantize: dynamic: such a file converts, but XNNPACK fails to "
                "run it ('failed to delegate FULLY_CONNECTED node'). Use quantize: none or float16, or leave it out",
            )
        return self

    def least_agreement(self) -> float:
        """The share of equal answers that the default claim demands."""
        default = {"none": 0.99, "float16": 0.99, "dynamic": 0.97, "int8": 0.95}
        return default[self.quantize] if self.agreement is None else self.agreement
