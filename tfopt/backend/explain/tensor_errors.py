"""How far the values inside a file are from those of the same name in another file, on the same examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfopt.backend.audit.tflite import indices
from tfopt.backend.explain.differences import difference
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.inner_tensors import inner_tensors
from tfopt.core.records.explanation import LayerErrorRecord


def tensor_errors(
    file: Path,
    against: Path,
    inputs: tuple[Mapping[str, Path], Mapping[str, Path]],
    work: Path,
    examples: int,
) -> list[LayerErrorRecord]:
    """Errors of the tensors that both files compute under one name, in the order of the first file.

    Args:
        file: a `.tflite`.
        against: the one that is believed.
        inputs: .npy file of (examples, ...) real values per input name, for each of them.
        work: folder for values.
        examples: how many examples to run.

    Raises:
        ProcessCrashed, ProcessFailed: a file cannot be run.
    """
    folders = (work / "file", work / "against")
    for folder in folders:
        folder.mkdir()
    found = inner_tensors(file, inputs[0], examples, folders[0])
    expected = dict(inner_tensors(against, inputs[1], examples, folders[1]))
    operators = _operators(file)
    records: list[LayerErrorRecord] = []
    before = 0.0
    for name, values in found:
        if name not in expected or expected[name].size != values.size:
            continue
        error = difference(values, expected[name])
        records.append(
            LayerErrorRecord(
                layer=name,
                type=operators.get(name, ""),
                tensor=name,
                sqnr_db=error.sqnr_db,
                cosine=error.cosine,
                max_error=error.max_error,
                relative_error=error.relative_error,
                before=before,
            )
        )
        before = error.relative_error
    return records


def _operators(file: Path) -> dict[str, str]:
    """Operator that makes each tensor, by the tensor's name."""
    parsed = flatbuffer.read(file)
    return {
        flatbuffer.text(graph.tensors[index].name): parsed.operator_name(operator)
        for graph in parsed.model.subgraphs
        for operator in graph.operators
        for index in indices(operator.outputs)
    }
