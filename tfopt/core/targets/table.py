"""Where files will run: every value of `target:` in a recipe, as one table.

A row says what the target chooses by default, what it refuses before training, which operators it has, and what is not
checked because nothing on this computer can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from tfopt.core.targets import core_ml, edge_tpu, gpu_delegate, tflite_micro

_EIGHT_BITS = "int8"
"""The only type of numbers of the Edge TPU."""
Missing = Callable[[Iterable[str]], tuple[str, ...]]
"""Those of some operators that a runtime does not have."""


class _Mode(Protocol):
    """What a target must know of a TFLite mode (`tfopt.core.config.quantization_modes.Mode`)."""

    @property
    def weights(self) -> str: ...

    @property
    def activations(self) -> str: ...


@dataclass(frozen=True)
class Target:
    """One place where files run.

    Args:
        meaning: a few words for the documentation.
        runtime: its name in sentences.
        quantize: the mode of a file whose recipe names none.
        io: the type of inputs and outputs of an int8 file whose recipe names none.
        fixed_shapes: files have fixed shapes and one example per call.
        refuses: why files of a mode cannot run there, as the end of a sentence; empty where they can.
        missing: operators without which a file does not run as meant; None where the runtime has all of LiteRT's.
        accelerators: by name, operators that run on the CPU instead; of float operators only where the name is in
            `float_only`.
        float_only: accelerators that take float operators only.
        not_checked: what nothing here can tell, as a sentence.
    """

    meaning: str
    runtime: str
    quantize: str = "none"
    io: str = "float32"
    fixed_shapes: bool = False
    refuses: Callable[[_Mode], str] = lambda mode: ""
    missing: Missing | None = None
    accelerators: Mapping[str, Missing] = field(default_factory=dict)
    float_only: frozenset[str] = frozenset()
    not_checked: str = ""


def _micro_refuses(mode: _Mode) -> str:
    if mode.activations == "float32" and mode.weights != "float32":
        return (
            f"TFLite Micro computes in float only with float32 weights, and has no kernels for {mode.weights} weights "
            "together with float activations"
        )
    return ""


def _edge_tpu_refuses(mode: _Mode) -> str:
    if {mode.weights, mode.activations} != {_EIGHT_BITS}:
        return "the Edge TPU computes in 8-bit integers only"
    return ""


TARGETS: Mapping[str, Target] = {
    "android": Target(
        meaning="phones with Android: LiteRT on the CPU, or its GPU delegate",
        runtime="LiteRT for Android",
        accelerators={"the GPU delegate": gpu_delegate.missing},
        not_checked="Shapes that the GPU delegate refuses, and what an NPU takes, show on the phone only "
        "(`tfopt bench --adb`).",
    ),
    "ios": Target(
        meaning="phones with iOS: LiteRT on the CPU, or its GPU (Metal) and Core ML delegates",
        runtime="LiteRT for iOS",
        accelerators={"the GPU delegate": gpu_delegate.missing, "the Core ML delegate": core_ml.missing},
        float_only=frozenset({"the Core ML delegate"}),
        not_checked="Nothing is run on an iPhone; shapes that a delegate refuses show there only.",
    ),
    "tflm": Target(
        meaning="microcontrollers: TensorFlow Lite for Microcontrollers (TFLite Micro)",
        runtime="TFLite Micro",
        quantize="int8",
        io="int8",
        fixed_shapes=True,
        refuses=_micro_refuses,
        missing=tflite_micro.missing,
        not_checked="Speed, and kernels of one processor (CMSIS-NN, Ethos-U): only its reference kernels are run here.",
    ),
    "edgetpu": Target(
        meaning="Coral devices: the Edge TPU, for which Google's compiler translates int8 files",
        runtime="the Edge TPU",
        quantize="int8",
        io="int8",
        fixed_shapes=True,
        refuses=_edge_tpu_refuses,
        missing=edge_tpu.missing,
        not_checked="The Edge TPU Compiler is not run (a program that tfopt does not bring): whether all conditions on "
        "sizes hold, it alone can tell.",
    ),
    "web": Target(
        meaning="browsers: LiteRT.js, on the CPU (WebAssembly) or WebGPU",
        runtime="LiteRT.js",
        fixed_shapes=True,
        not_checked="Which operators its WebAssembly build and WebGPU have is not published as a list; nothing is run "
        "in a browser.",
    ),
}
"""The targets by the value of `target:`."""

if TYPE_CHECKING:
    TargetName = str
else:  # the table is the only list of names; mypy cannot read a Literal that is made from it
    TargetName = Literal[tuple(TARGETS)]


def describe_targets() -> str:
    """The documentation of `target`."""
    each = "; ".join(f"`{name}`: {target.meaning}" for name, target in TARGETS.items())
    return f"Where the files will run: chooses defaults of `.tflite` files and checks them. {each}."
