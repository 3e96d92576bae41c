"""How long each operator of a file takes.

LiteRT's Python package has a profiler in its library (`LiteRtCompiledModelGetProfiler`), but no call for it, and its
`litert-benchmark` times whole files only. So each operator is timed as a file of its own, with the values that it gets
in the whole file. What that cannot show: operators that XNNPACK fuses, and memory that is still in the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.benchmark import invoke
from tfopt.backend.tflite.single_operator import alone, dynamic_inputs, intermediate
from tfopt.backend.types import Array

_WARM_UP = 3
_LEAST_CALLS, _MOST_CALLS = 5, 200
_MILLISECONDS = 10.0
"""How long an operator is timed."""


@dataclass(frozen=True)
class OperatorTime:
    """One operator, run alone.

    Args:
        index: position in the file.
        operator: TFLite's name of it.
        tensor: name of its first result.
        ms: median milliseconds of a call; None where it cannot be run alone.
        error: why not; empty where it can.
    """

    index: int
    operator: str
    tensor: str
    ms: float | None
    error: str = ""


def operator_times(
    path: Path, threads: int = 1, kernels: litert.Kernels = "default", example: Mapping[str, Path] | None = None
) -> list[OperatorTime]:
    """Times each operator of the main graph of a file, in a child process.

    Args:
        path: a `.tflite` file that runs.
        threads: threads that kernels may use.
        kernels: which implementations run.
        example: .npy file per input name, whose first row is the input; random numbers without it.

    Raises:
        ExportError: the file is malformed.
        ProcessCrashed: LiteRT crashed.
        ProcessFailed: LiteRT refused the file.
    """
    flatbuffer.read(path)
    found = child_process.call(
        "tfopt.backend.bench.operator_times:time_operators",
        {
            "path": str(path),
            "threads": threads,
            "kernels": kernels,
            "example": {name: str(file) for name, file in (example or {}).items()},
        },
    )
    return [OperatorTime(**one) for one in found]


def time_operators(
    path: str, threads: int, kernels: litert.Kernels, example: dict[str, str]
) -> list[dict[str, object]]:
    """Runs in the child process of `operator_times`."""
    file = flatbuffer.read(Path(path))
    graph = file.model.subgraphs[0]
    inputs = {name: np.load(array)[:1] for name, array in example.items()}
    inputs = inputs or litert.random_inputs(litert.open_file(path, 1, "builtin"))
    values = next(intermediate(path, inputs, 1))
    found = []
    for index, operator in enumerate(graph.operators):
        taken = dynamic_inputs(file, graph, operator)
        one = {
            "index": index,
            "operator": file.operator_name(operator),
            "tensor": flatbuffer.text(graph.tensors[operator.outputs[0]].name) if len(operator.outputs) else "",
        }
        try:
            found.append(
                {**one, "ms": _median_ms(alone(file, graph, operator, taken), taken, values, threads, kernels)}
            )
        except (ValueError, RuntimeError, KeyError) as error:
            found.append({**one, "ms": None, "error": " ".join(str(error).split()) or type(error).__name__})
    return found


def _median_ms(
    content: bytes, taken: list[int], values: Mapping[int, Array], threads: int, kernels: litert.Kernels
) -> float:
    interpreter = Interpreter(
        model_content=content, num_threads=threads, experimental_op_resolver_type=litert.RESOLVERS[kernels]
    )
    positions = [one["index"] for one in interpreter.get_input_details()]
    for position, index in zip(positions, taken, strict=True):
        interpreter.resize_tensor_input(position, values[index].shape)
    interpreter.allocate_tensors()
    for position, index in zip(positions, taken, strict=True):
        interpreter.set_tensor(position, values[index])
    fastest = min(invoke(interpreter) for _ in range(_WARM_UP))
    calls = int(np.clip(_MILLISECONDS / max(fastest, 1e-6), _LEAST_CALLS, _MOST_CALLS))
    return float(np.median([invoke(interpreter) for _ in range(calls)]))
