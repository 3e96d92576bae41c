"""A `.tflite` file in TFLite Micro: its outputs, and the smallest arena in which it runs.

The package tflite-micro (extra `tflm`) has the interpreter of microcontrollers, built for this computer with its
reference kernels. An arena that is too small ends its process (SIGSEGV), so each size is tried in a fork.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.fresh_start import die_with_parent
from tfopt.backend.tflite.limits import Limits
from tfopt.backend.tflite.quantum import output_quantum
from tfopt.backend.types import Array

if TYPE_CHECKING:
    from tflite_micro.python.tflite_micro import runtime

_ALIGNMENT = 16
"""Bytes to which TFLite Micro aligns an arena."""
_SECONDS = 600
_TOO_SMALL = re.compile(r"Failed to (resize|allocate)|Arena size is too small")
"""What TFLite Micro prints of an arena that is too small."""


@dataclass(frozen=True)
class MicroRun:
    """What TFLite Micro made of a file.

    Args:
        arena_bytes: the smallest arena in which it runs, on this 64-bit computer: pointers of a 32-bit microcontroller
            take half the bytes, so it needs somewhat less.
        examples: how many examples were run.
        steps: largest difference to LiteRT's built-in kernels over the quantized outputs, in steps of their scales,
            also where a DEQUANTIZE makes them float; None where no output is quantized.
        share: the same over the outputs that are computed in float, over their largest magnitude; None where none is.
    """

    arena_bytes: int
    examples: int
    steps: float | None
    share: float | None


def available() -> bool:
    """Whether the package tflite-micro is installed."""
    return importlib.util.find_spec("tflite_micro") is not None


def run_in_micro(path: Path, inputs: Mapping[str, Path]) -> MicroRun:
    """Runs a file in TFLite Micro and in LiteRT, in a child process.

    Args:
        path: a `.tflite` file with fixed shapes.
        inputs: .npy file of (examples, ...) real values per input name.

    Raises:
        ProcessCrashed: TFLite Micro crashed.
        ProcessFailed: it refused the file; the message is what it printed.
    """
    found = child_process.call(
        "tfopt.backend.micro.interpreter:compare",
        {"path": str(path), "inputs": {name: str(file) for name, file in inputs.items()}},
        Limits(seconds=_SECONDS),
    )
    return MicroRun(**found)


def compare(path: str, inputs: dict[str, str]) -> dict[str, object]:
    """Runs in the child process of `run_in_micro`."""
    examples = {name: np.load(file) for name, file in inputs.items()}
    count = len(next(iter(examples.values())))
    reference = litert.open_file(path, 1, "builtin")
    reference.prepare({name: values[:1] for name, values in examples.items()})
    content = Path(path).read_bytes()
    order = _positions(path)
    arena = _smallest_arena(content, order, [_quantized(reference, examples, 0)[name] for name in order.inputs])
    micro = _opened(content, arena)
    quanta = [output_quantum(Path(path), position) for position in range(len(order.outputs))]
    steps: list[float] = []
    shares: list[float] = []
    for index in range(count):
        given = _quantized(reference, examples, index)
        micro.reset()
        reference.interpreter.reset_all_variables()
        for position, name in enumerate(order.inputs):
            micro.set_input(given[name], position)
            reference.interpreter.set_tensor(reference.inputs[name]["index"], given[name])
        micro.invoke()
        reference.interpreter.invoke()
        for position, name in enumerate(order.outputs):
            expected = reference.interpreter.get_tensor(reference.outputs[name]["index"])
            made = np.asarray(micro.get_output(position)).reshape(expected.shape)
            far = np.max(np.abs(made.astype(np.float64) - expected.astype(np.float64)), initial=0.0)
            quantum = quanta[position]
            if not np.issubdtype(expected.dtype, np.floating):
                steps.append(float(far))
            elif quantum is not None:
                steps.append(float(far) / quantum)
            else:
                shares.append(float(far) / max(float(np.max(np.abs(expected), initial=0.0)), 1e-6))
    furthest = {"steps": max(steps, default=None), "share": max(shares, default=None)}
    return {"arena_bytes": arena, "examples": count, **furthest}


@dataclass(frozen=True)
class _Positions:
    """Names of the inputs and outputs of the main graph, in its order: TFLite Micro knows no names."""

    inputs: list[str]
    outputs: list[str]


def _positions(path: str) -> _Positions:
    file = flatbuffer.read(Path(path))
    graph = file.model.subgraphs[0]
    signatures = file.model.signatureDefs
    if not signatures:
        name_of = {index: flatbuffer.text(tensor.name) for index, tensor in enumerate(graph.tensors)}
        return _Positions([name_of[index] for index in graph.inputs], [name_of[index] for index in graph.outputs])
    names = {port.tensorIndex: flatbuffer.text(port.name) for port in signatures[0].inputs}
    results = {port.tensorIndex: flatbuffer.text(port.name) for port in signatures[0].outputs}
    return _Positions([names[index] for index in graph.inputs], [results[index] for index in graph.outputs])


def _quantized(model: litert.LiteRTModel, examples: Mapping[str, Array], index: int) -> dict[str, Array]:
    return {
        name: litert.quantized(values[index : index + 1], details["dtype"], *details["quantization"])
        for name, values in examples.items()
        for details in (model.inputs[name],)
    }


def _opened(content: bytes, arena: int) -> runtime.Interpreter:
    from tflite_micro.python.tflite_micro import runtime

    with _stderr() as printed:
        try:
            return runtime.Interpreter.from_bytes(content, arena_size=arena)
        except RuntimeError as error:
            raise RuntimeError(_reason(printed()) or str(error)) from error


def _smallest_arena(content: bytes, order: _Positions, inputs: list[Array]) -> int:
    """Bytes of the smallest arena in which the file loads and runs, by bisection."""
    largest = _ALIGNMENT * (1 + (len(content) * 10 + (1 << 20)) // _ALIGNMENT)
    while not _runs(content, largest, inputs):
        try:
            _opened(content, largest)
        except RuntimeError as error:
            if _TOO_SMALL.search(str(error)) is None:  # the size is not the reason
                raise
        largest *= 4
        if largest > 1 << 32:
            raise RuntimeError("TFLite Micro does not run the file in an arena of 4 GB")
    low, high = 0, largest
    while high - low > _ALIGNMENT:
        middle = (low + high) // 2 // _ALIGNMENT * _ALIGNMENT
        low, high = (low, middle) if _runs(content, middle, inputs) else (middle, high)
    return high


def _runs(content: bytes, arena: int, inputs: list[Array]) -> bool:
    """Whether the file loads and runs in an arena of this size, in a fork that may crash."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            die_with_parent(_SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            from tflite_micro.python.tflite_micro import runtime

            micro = runtime.Interpreter.from_bytes(content, arena_size=arena)
            for position, values in enumerate(inputs):
                micro.set_input(values, position)
            micro.invoke()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


@contextmanager
def _stderr() -> Iterator[Callable[[], str]]:
    """Catches what C++ code prints to stderr; gives a function that reads it."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)

        def printed() -> str:
            file.seek(0)
            return file.read().decode("utf-8", errors="replace")

        try:
            yield printed
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _reason(printed: str) -> str:
    """The telling line of what TFLite Micro printed, without the path of its source file."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    known = re.compile(rf"not supported|Didn't find|failed|was not true|{_TOO_SMALL.pattern}")
    telling = [line for line in lines if known.search(line)]
    return re.sub(r"^\S+\.(cc|h)(:\d+)? ", "", telling[0]) if telling else ""
