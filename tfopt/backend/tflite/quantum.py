"""The distance between two neighboring values of a file's output."""

from __future__ import annotations

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
    graph = file.model.subgraphs[0]
    index = int(graph.outputs[position])
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
