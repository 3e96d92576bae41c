"""The TFLite modes: every value of `quantize:` in a recipe, as one table.

A new mode is one row here; one that the converter makes has a function in `tfopt/backend/export/convert.py` too. The
JSON Schema, docs/recipe.md, error messages, preflight and claims derive from the row; no other file compares against
the name of a mode.

Two engines make files. TensorFlow's converter makes those whose weights it stores as they are, in half or in 8 bits,
and int8, because it knows the ranges that quantization-aware training learned. litert-quantizer makes the others from
the float32 file of the converter: weights below 8 bits, weights in blocks, weights alone. It makes int16x8 as well,
with ranges that tfopt measures. Measured, the converter's int16x8 crashes on a GRU, refuses an LSTM, and aborts the
program that runs it on a LayerNormalization (no kernel for SQUARED_DIFFERENCE); the quantizer keeps these in float, and
the files are equally good elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

_FLOAT_IO = ("float32",)
_NO_SPARSE_KERNEL = "TFLite has no sparse kernel for such weights. Use quantize: none or int8, or leave it out"

Engine = Literal["converter", "quantizer"]
""""converter": `tf.lite.TFLiteConverter`; "quantizer": litert-quantizer, from the converter's float32 file."""


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
        engine: what makes such a file.
        block: how many weights of a row share a scale; 0 where all of an output channel do.
        weights_only: operators compute with float inputs; else those with integer weights round their inputs to 8 bits
            at each call.
        in_integer_files: layers of a file with integer activations can have these weights by a rule.
        tables: dtype of the tables of embeddings where it is not that of the weights.
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
    engine: Engine = "converter"
    block: int = 0
    weights_only: bool = False
    in_integer_files: bool = False
    tables: str | None = None

    @property
    def is_quantized(self) -> bool:
        """Whether the file stores any values with fewer bits than the model has."""
        return self.bytes_per_parameter < 4

    @property
    def integer_only(self) -> bool:
        """Whether the file computes in integers, except for the layers that may be float."""
        return self.activations != "float32"

    @property
    def stores_floats(self) -> bool:
        """Whether the weights are floats of any size."""
        return self.weights.startswith("float")

    @property
    def described_weights(self) -> str:
        """The weights in a few words."""
        return f"{self.weights} in blocks of {self.block}" if self.block else self.weights


def _blocks(size: int) -> Mode:
    return Mode(
        meaning=f"int4 weights in blocks of {size} with a scale each, and float activations (only XNNPACK knows them)",
        weights="int4",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.9,
        bytes_per_parameter=0.5 + 2 / size,
        most_relative_error=0.3,
        not_sparse=_NO_SPARSE_KERNEL,
        engine="quantizer",
        block=size,
    )


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
        not_sparse="XNNPACK refuses such a file ('failed to delegate FULLY_CONNECTED node'), or computes wrong outputs "
        "without an error where its zeros fill blocks of 16 inputs. Use quantize: none, or int8 with "
        "block_size: [16, 1] on Dense layers",
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
    "int16x8": Mode(
        meaning="int8 weights and int16 activations",
        weights="int8",
        activations="int16",
        io=(*_FLOAT_IO, "int16"),
        calibrated=True,
        from_qat=False,
        least_agreement=0.97,
        bytes_per_parameter=1,
        not_sparse=_NO_SPARSE_KERNEL,
        engine="quantizer",
        tables="int16",
    ),
    "weight_only_int8": Mode(
        meaning="int8 weights that operators read as float32",
        weights="int8",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.97,
        bytes_per_parameter=1,
        not_sparse=_NO_SPARSE_KERNEL,
        engine="quantizer",
        weights_only=True,
    ),
    "int4": Mode(
        meaning="int4 weights and float activations",
        weights="int4",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.9,
        bytes_per_parameter=0.5,
        most_relative_error=0.3,
        not_sparse=_NO_SPARSE_KERNEL,
        engine="quantizer",
        in_integer_files=True,
    ),
    **{f"int4_block{size}": _blocks(size) for size in (32, 64, 128)},
    "int2": Mode(
        meaning="int2 weights and float activations",
        weights="int2",
        activations="float32",
        io=_FLOAT_IO,
        calibrated=False,
        from_qat=False,
        least_agreement=0.5,
        bytes_per_parameter=0.25,
        most_relative_error=1.0,
        not_sparse=_NO_SPARSE_KERNEL,
        engine="quantizer",
    ),
}
"""The modes by the value of `quantize:`."""

EIGHT_BITS = MODES["dynamic"]
"""What weights become that no kernel reads in the mode of their file."""

BELOW_8_BITS = frozenset(mode.weights for mode in MODES.values() if mode.bytes_per_parameter < 1)
"""Dtypes of weights that no training stage simulates."""

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
    needs = [
        f"{' and '.join(dtypes)} need{'s' if len(dtypes) == 1 else ''} `quantize: {' or '.join(modes)}`"
        for modes, dtypes in groups.items()
    ]
    return f"Type of inputs and outputs, or `{{input: uint8, output: float32}}`; {'; '.join(needs)}."


def describe_calibration() -> str:
    """The documentation of `calibration`."""
    calibrated = " and ".join(name for name, mode in MODES.items() if mode.calibrated)
    return (
        f"Training examples that a file is calibrated with ({calibrated}, and `algorithm: gptq`): their number, or a "
        "block "
        "`{examples: 256, select: balanced, range: percentile, ...}` (see below)."
    )
