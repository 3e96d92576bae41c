"""The TFLite modes: every value of `quantize:` in a recipe, as one table.

A new mode is one row here and one function in `tfopt/backend/export/convert.py`. The JSON Schema, docs/recipe.md,
error messages, preflight and claims derive from the row; no other file compares against the name of a mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

_FLOAT_IO = ("float32",)


@dataclass(frozen=True)
class Mode:
    """One way to store and compute the numbers of a `.tflite` file.

    Args:
        meaning: a few words for the documentation.
        weights: dtype of the weights in the file.
        activations: dtype in which operators compute; anything but float32 makes the file an integer file.
        io: dtypes of inputs and outputs that a recipe may ask for.
        calibrated: the converter needs training examples for the ranges of activations.
        from_qat: converted from the model that simulates 8 bits, where a stage left one; else from the float model.
        least_agreement: the default claim: share of test examples on which file and Keras model predict the same.
        bytes_per_parameter: of a dense weight.
        most_relative_error: the default claim for regression: error over the standard deviation of each output.
        float32_below: weights with fewer elements stay float32.
        not_sparse: why `sparse: true` is refused, as the end of a sentence, with a remedy; None where it is allowed.
    """

    meaning: str
    weights: str
    activations: str
    io: tuple[str, ...]
    calibrated: bool
    from_qat: bool
    least_agreement: float
    bytes_per_parameter: float
    most_relative_error: float = 0.05
    float32_below: int = 0
    not_sparse: str | None = None

    @property
    def integer_only(self) -> bool:
        """Whether the file computes in integers, except for the layers that may be float."""
        return self.activations != "float32"


MODES: Mapping[str, Mode] = {
    "none": Mode(
        meaning="float32",
        weights="float32",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.99,
        bytes_per_parameter=4,
        most_relative_error=0.01,
    ),
    "float16": Mode(
        meaning="half-size weights",
        weights="float16",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.99,
        bytes_per_parameter=2,
        most_relative_error=0.01,
    ),
    "dynamic": Mode(
        meaning="int8 weights and float activations",
        weights="int8",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.97,
        bytes_per_parameter=1,
        float32_below=1024,  # the converter's dynamic range; measured: 640 stays, 1,024 becomes int8
        not_sparse="such a file converts, but XNNPACK fails to run it ('failed to delegate FULLY_CONNECTED node'). "
        "Use quantize: none or float16, or leave it out",
    ),
    "int8": Mode(
        meaning="integers only",
        weights="int8",
        activations="int8",
        io=(*_FLOAT_IO, "int8", "uint8"),
        calibrated=True,
        from_qat=True,
        least_agreement=0.95,
        bytes_per_parameter=1,
        most_relative_error=0.1,
    ),
}
"""The modes by the value of `quantize:`."""

DEFAULT = "none"
"""The mode of a file whose recipe names none."""

IO_TYPES: tuple[str, ...] = tuple(dict.fromkeys(dtype for mode in MODES.values() for dtype in mode.io))
"""Dtypes that any mode allows for inputs and outputs."""

if TYPE_CHECKING:
    ModeName = str
    IoType = str
else:  # the table is the only list of names; mypy cannot read a Literal that is made from it
    ModeName = Literal[tuple(MODES)]
    IoType = Literal[IO_TYPES]


def modes_with_io(dtype: str) -> tuple[str, ...]:
    """Names of the modes whose inputs and outputs can be of that dtype."""
    return tuple(name for name, mode in MODES.items() if dtype in mode.io)


def describe_modes() -> str:
    """The documentation of `quantize`."""
    return "; ".join(f"`{name}`: {mode.meaning}" for name, mode in MODES.items()) + "."


def describe_io() -> str:
    """The documentation of `io`."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for dtype in IO_TYPES:
        if modes_with_io(dtype) != tuple(MODES):
            groups.setdefault(modes_with_io(dtype), []).append(dtype)
    needs = [f"{' and '.join(dtypes)} need `quantize: {' or '.join(modes)}`" for modes, dtypes in groups.items()]
    return f"Type of inputs and outputs, or `{{input: uint8, output: float32}}`; {'; '.join(needs)}."


def describe_calibration() -> str:
    """The documentation of `calibration`."""
    calibrated = " and ".join(name for name, mode in MODES.items() if mode.calibrated)
    return (
        f"Training examples given to the converter for activation ranges ({calibrated} only): their number, or a block "
        "`{examples: 256, select: balanced, range: percentile, ...}` (see below)."
    )
