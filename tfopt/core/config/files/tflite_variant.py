"""One `.tflite` file of a recipe: the keys of a variant under `export.tflite`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.algorithms import ALGORITHMS, AlgorithmName, algorithms_for, describe_algorithms
from tfopt.core.config.files.calibration import Calibration
from tfopt.core.config.files.detections import Detections
from tfopt.core.config.files.file_rules import FileRule, modes_of_rules
from tfopt.core.config.quantization_modes import (
    DEFAULT,
    MODES,
    Engine,
    IoType,
    Mode,
    ModeName,
    describe_calibration,
    describe_io,
    describe_modes,
    modes_with_io,
)
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share

Batch = Literal[1, "dynamic"]
"""Examples per call of a file."""


class IoTypes(Block):
    """Different types of inputs and outputs."""

    input: IoType = "float32"
    """Type of the inputs."""
    output: IoType = "float32"
    """Type of the outputs."""


def _one_or_each(value: object) -> str:
    """Which form of `io` a value is, so that an error is about that form alone."""
    return "each" if isinstance(value, (Mapping, IoTypes)) else "same"


def _number_or_block(value: object) -> str:
    """Which form of `calibration` a value is."""
    return "block" if isinstance(value, (Mapping, Calibration)) else "number"


class Variant(Block):
    """One `.tflite` file."""

    quantize: Annotated[ModeName, Field(description=describe_modes())] = DEFAULT
    io: Annotated[
        Annotated[IoType, Tag("same")] | Annotated[IoTypes, Tag("each")],
        Discriminator(_one_or_each),
        Field(description=describe_io()),
    ] = "float32"
    calibration: Annotated[
        Annotated[int, Field(ge=1), Tag("number")] | Annotated[Calibration, Tag("block")],
        Discriminator(_number_or_block),
        Field(description=describe_calibration()),
    ] = 256
    ptq: bool | None = None
    """After a stage that quantizes (`qat`): make this file from the model before that stage, quantized after training,
    so that the table shows what the stage was worth."""
    batch: Batch | None = None
    """Examples per call: `1` leaves no shape arithmetic in the file, `dynamic` lets an app choose (default: `dynamic`,
    and 1 for layers that the converter takes with a fixed number only)."""
    shape: Literal["data", "dynamic"] = "data"
    """Axes that the model leaves open, such as the length of a sequence or the size of an image: `data` fixes them to
    the size of the examples, `dynamic` leaves them open, where the converter can."""
    sparse: bool = False
    """Leave out zeros (TFLite's sparse format), with `quantize: none`, `float16` or `int8`: smaller unzipped, and
    faster with zeros of Dense layers in blocks (`block_size: [16, 1]`), which int8 needs and float16 cannot have."""
    agreement: Share | None = None
    """Least share of test examples on which file and Keras model must predict the same; for regression, one minus the
    tolerated error over the standard deviation of each output (default: by `quantize`)."""

    accept: tuple[AcceptedClaim, ...] | None = None
    """Claims about this file that may be broken, each with the reason: a known deviation is shown as accepted and does
    not fail the run."""

    layers: tuple[FileRule, ...] | None = None
    """Ordered rules by layer name and/or type, for layers with a mode of their own: float in an int8 or int16x8 file
    (`quantize: none`), int4 tables of embeddings in a file of dynamic range; the last that matches wins."""
    algorithm: Annotated[AlgorithmName | None, Field(description=describe_algorithms())] = None

    dense_per_channel: bool | None = None
    """`false`: each kernel of a Dense layer gets one scale in an int8 file instead of one per unit: 12 bytes less per
    unit, and coarser (default: `true`; a `qat` stage rounds per unit in any case)."""

    sensitivity: bool | None = None
    """Measure what quantizing each layer costs: one layer at a time quantized, and one at a time in float, on up to 256
    examples of the validation split. Ends with the fewest `layers` rules that reach the budgets and the claim of this
    file (default: off; takes as long as running the file twice per layer, and up to four conversions)."""

    detections: Detections | None = None
    """Of a detector: write `NAME.detections.tflite` too, which ends with non-maximum suppression
    (`TFLite_Detection_PostProcess`) and returns boxes, labels, scores and their count, for one image at a time; `{}`
    for the defaults."""

    @model_validator(mode="after")
    def _allowed_by_the_mode(self) -> Variant:
        if self.dense_per_channel is not None and not (self.mode.integer_only and self.engine == "converter"):
            message = f"dense_per_channel needs quantize: int8 (got quantize: {self.quantize})"
            raise KeyMistake(("dense_per_channel",), message, code="conflicting_keys")
        if self.sensitivity and not self.mode.is_quantized:
            message = f"sensitivity measures quantized layers, and a file of quantize: {self.quantize} has none"
            raise KeyMistake(("sensitivity",), message, code="meaningless_key")
        ends = {"io": self.io} if isinstance(self.io, str) else {f"io.{k}": v for k, v in self.io.model_dump().items()}
        for end, dtype in ends.items():
            if dtype not in self.mode.io:
                modes = " or ".join(modes_with_io(dtype))
                message = f"{end}: {dtype} needs quantize: {modes} (got quantize: {self.quantize})"
                raise KeyMistake(tuple(end.split(".")), message, code="conflicting_keys")
        if self.detections is not None and self.output_type != "float32":
            message = f"detections needs outputs of float32: its operator takes no {self.output_type}"
            raise KeyMistake(("detections",), message, code="conflicting_keys")
        self._check_rules()
        self._check_algorithm()
        self._check_calibration()
        if self.sparse and self.mode.not_sparse is not None:
            message = f"sparse: true cannot be combined with quantize: {self.quantize}: {self.mode.not_sparse}"
            raise KeyMistake(("sparse",), message, code="conflicting_keys")
        return self

    def _check_calibration(self) -> None:
        if self.calibration != type(self).model_fields["calibration"].default and not self.calibrated:
            modes = " or ".join(name for name, mode in MODES.items() if mode.calibrated)
            message = f"calibration needs quantize: {modes}, or algorithm: gptq (got quantize: {self.quantize})"
            raise KeyMistake(("calibration",), message, code="conflicting_keys")
        if self.calibrating.range != "min_max" and not self.mode.integer_only:
            message = f"range is about activations, which are {self.mode.activations} in quantize: {self.quantize}"
            raise KeyMistake(("calibration", "range"), message, code="conflicting_keys")
        if self.ptq and not any(mode.is_quantized for mode in (self.mode, *(rule.mode for rule in self.layers or ()))):
            message = f"ptq: true needs a mode that quantizes (got quantize: {self.quantize})"
            raise KeyMistake(("ptq",), message, code="conflicting_keys")

    def _check_rules(self) -> None:
        allowed = modes_of_rules(self.quantize)
        for index, rule in enumerate(self.layers or ()):
            if rule.quantize not in allowed:
                message = (
                    f"quantize: {rule.quantize} cannot be in a file of quantize: {self.quantize}, whose activations "
                    f"are {self.mode.activations}; its rules can say {', '.join(allowed)}"
                )
                raise KeyMistake(("layers", index, "quantize"), message, code="conflicting_keys")
        small = any(rule.mode.in_integer_files for rule in self.layers or ())
        if self.layers and self.sparse and (small or not self.mode.integer_only):
            message = "sparse: true cannot be combined with these layers: no kernel or engine has such sparse weights"
            raise KeyMistake(("sparse",), message, code="conflicting_keys")

    def _check_algorithm(self) -> None:
        if self.algorithm is None:
            return
        mixed = [self.mode, *(rule.mode for rule in self.layers or ())]
        if self.mode.integer_only or not any(ALGORITHMS[self.algorithm].applies_to(mode) for mode in mixed):
            known = algorithms_for(self.mode)
            choice = f"it can be {', '.join(known)}" if known else "such a file has no choice; leave algorithm out"
            message = f"algorithm: {self.algorithm} is not for quantize: {self.quantize}: {choice}"
            raise KeyMistake(("algorithm",), message, code="conflicting_keys")
        if self.sparse:
            message = "sparse: true cannot be combined with algorithm: its engine writes no sparse weights"
            raise KeyMistake(("sparse",), message, code="conflicting_keys")

    @property
    def engine(self) -> Engine:
        """What makes the file: layers with float activations and a mode of their own are for the quantizer."""
        own = self.algorithm is not None or (bool(self.layers) and not self.mode.integer_only)
        return "quantizer" if own else self.mode.engine

    @property
    def calibrated(self) -> bool:
        """Whether training examples are needed to make the file."""
        return self.mode.calibrated or (self.algorithm is not None and ALGORITHMS[self.algorithm].calibrated)

    @property
    def mode(self) -> Mode:
        """The row of the table of modes."""
        return MODES[self.quantize]

    @property
    def calibrating(self) -> Calibration:
        """How ranges are computed, whichever way it is written."""
        return self.calibration if isinstance(self.calibration, Calibration) else Calibration(examples=self.calibration)

    @property
    def from_qat(self) -> bool:
        """Whether the file is made from the model that simulates integers, where a stage left one."""
        return self.mode.from_qat and not self.ptq

    @property
    def input_type(self) -> str:
        """The dtype of the inputs, where they are not integers in the model already."""
        return self.io if isinstance(self.io, str) else self.io.input

    @property
    def output_type(self) -> str:
        """The dtype of the outputs, where they are not integers in the model already."""
        return self.io if isinstance(self.io, str) else self.io.output

    @property
    def fixed_batch(self) -> int | None:
        """Examples per call that the recipe fixes; None where it does not."""
        return self.batch if isinstance(self.batch, int) else None

    @property
    def any_batch(self) -> bool:
        """Whether the recipe asks for any number of examples per call."""
        return isinstance(self.batch, str)

    @property
    def fixed_shape(self) -> bool:
        """Whether open axes get the size of the data's examples."""
        return self.shape == "data"

    def least_agreement(self) -> float:
        """The share of equal predictions that the default claim demands."""
        if self.agreement is not None:
            return self.agreement
        return min([self.mode.least_agreement, *(rule.mode.least_agreement for rule in self.layers or ())])

    def most_relative_error(self) -> float:
        """The same for regression: the tolerated error, over the standard deviation of each output."""
        if self.agreement is not None:
            return 1 - self.agreement
        return max([self.mode.most_relative_error, *(rule.mode.most_relative_error for rule in self.layers or ())])
