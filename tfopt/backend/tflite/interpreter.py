"""A `.tflite` file in LiteRT: real numbers in, real numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.types import Array

Kernels = Literal["default", "builtin", "reference"]
"""`default`: LiteRT as apps use it, with XNNPACK; `builtin`: its optimized kernels, without any delegate; `reference`:
its plain kernels, without any delegate, of which some operators have none."""

RESOLVERS: Mapping[Kernels, OpResolverType] = {
    "default": OpResolverType.AUTO,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}
"""LiteRT's names of them."""


class TensorDetails(TypedDict):
    """What LiteRT says of a tensor; the keys that are read here."""

    name: str
    index: int
    shape: Array
    shape_signature: Array
    dtype: type[np.generic]
    quantization: tuple[float, int]


@dataclass(frozen=True)
class LiteRTModel:
    """An interpreter and its inputs and outputs.

    Args:
        interpreter: LiteRT's.
        inputs: details of the inputs by signature name (by tensor name where the file has no signature).
        outputs: the same of the outputs.
    """

    interpreter: Interpreter
    inputs: dict[str, TensorDetails]
    outputs: dict[str, TensorDetails]

    @property
    def resizable(self) -> bool:
        """True if every input declares an open batch size."""
        shapes = [details["shape_signature"] for details in self.inputs.values()]
        return all(len(shape) > 0 and shape[0] == -1 for shape in shapes)

    def prepare(self, examples: Mapping[str, Array]) -> None:
        """Resizes the inputs to a batch and allocates.

        Raises:
            ValueError: an input has a different fixed shape.
            RuntimeError: a kernel refuses the size.
        """
        for name, values in examples.items():
            if tuple(self.inputs[name]["shape"]) != values.shape:
                self.interpreter.resize_tensor_input(self.inputs[name]["index"], values.shape, strict=True)
        self.interpreter.allocate_tensors()

    def set_inputs(self, examples: Mapping[str, Array]) -> None:
        """Writes real values into the inputs, quantized where the input is."""
        for name, values in examples.items():
            details = self.inputs[name]
            self.interpreter.set_tensor(details["index"], quantized(values, details["dtype"], *details["quantization"]))

    def predict(self) -> dict[str, Array]:
        """Runs, and reads the outputs as real values by name."""
        self.interpreter.invoke()
        return {
            name: dequantized(self.interpreter.get_tensor(details["index"]), *details["quantization"])
            for name, details in self.outputs.items()
        }


def open_file(path: Path | str, threads: int, kernels: Kernels = "default") -> LiteRTModel:
    """Opens a file.

    Args:
        path: a `.tflite` file.
        threads: threads that kernels may use.
        kernels: which implementations run.

    Raises:
        ValueError: the file is not a model. A malformed file may abort the process: call this in a child process.
    """
    interpreter = Interpreter(
        model_path=str(path), num_threads=threads, experimental_op_resolver_type=RESOLVERS[kernels]
    )
    keys = list(interpreter.get_signature_list())
    if not keys:
        inputs = {details["name"]: details for details in interpreter.get_input_details()}
        outputs = {details["name"]: details for details in interpreter.get_output_details()}
        return LiteRTModel(interpreter, inputs, outputs)
    runner = interpreter.get_signature_runner(keys[0])
    return LiteRTModel(interpreter, dict(runner.get_input_details()), dict(runner.get_output_details()))


def random_inputs(model: LiteRTModel) -> dict[str, Array]:
    """One example of random numbers per input, zeros for integers without a scale."""
    random = np.random.default_rng(0)
    shapes = {name: tuple(int(size) for size in details["shape"]) for name, details in model.inputs.items()}
    # Integer inputs without a scale are ids, of which only 0 is sure to exist.
    ids = {n for n, d in model.inputs.items() if np.issubdtype(d["dtype"], np.integer) and d["quantization"][0] == 0}
    return {
        name: np.zeros(shape, np.int32) if name in ids else random.random(shape, dtype=np.float32)
        for name, shape in shapes.items()
    }


def quantized(values: Array, dtype: type[np.generic], scale: float, zero_point: int) -> Array:
    """Real values as numbers of an input's type; values outside its range are clipped, as on a phone."""
    if scale == 0 or not np.issubdtype(dtype, np.integer):
        return np.ascontiguousarray(values, dtype=dtype)
    limits = np.iinfo(np.dtype(dtype).name)
    steps = np.round(values.astype(np.float32) / np.float32(scale)) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(dtype)


def dequantized(values: Array, scale: float, zero_point: int) -> Array:
    """The real values behind an output's numbers."""
    if scale == 0:
        return values
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
