"""The distance between two neighboring values of a file's output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.tflite import flatbuffer


def output_quantum(path: Path, position: int = 0) -> float | None:
    """The scale of an output of a `.tflite` file, also where a DEQUANTIZE makes it float.

    Args:
        path: the file.
        position: of the output among those of its main graph.

    Returns:
        None where the output is computed in float.

    Raises:
        ExportError: the file cannot be read.
    """
    file = flatbuffer.read(path)
    return _quantum(file, int(file.model.subgraphs[0].outputs[position]))


def output_quanta(path: Path, names: Iterable[str]) -> dict[str, float | None]:
    """The scale of each output, as `output_quantum`, by its name in the first signature.

    Args:
        path: the file; its outputs may be in another order than those of the model.
        names: of the outputs; without a signature, in the order of its main graph.

    Raises:
        ExportError: the file cannot be read.
    """
    file = flatbuffer.read(path)
    signatures = file.model.signatureDefs or []
    if not signatures:
        indices = dict(zip(names, file.model.subgraphs[0].outputs, strict=False))
    else:
        indices = {_text(port.name): port.tensorIndex for port in signatures[0].outputs}
    return {name: _quantum(file, int(indices[name])) if name in indices else None for name in names}


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _quantum(file: flatbuffer.File, index: int) -> float | None:
    graph = file.model.subgraphs[0]
    scale = _scale(graph.tensors[index])
    if scale is None:
        makers = [operator for operator in graph.operators if index in operator.outputs]
        if makers and file.operator_name(makers[0]) == "DEQUANTIZE":
            scale = _scale(graph.tensors[int(makers[0].inputs[0])])
    return scale


def _scale(tensor: schema.TensorT) -> float | None:
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or len(quantization.scale) == 0:
        return None
    return float(quantization.scale[0])
