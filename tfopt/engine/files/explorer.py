"""Node data for Model Explorer, as files, and the command that opens them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tfopt.core.records.explanation import LayerErrorRecord
from tfopt.errors import ExportError, TfoptError, UsageError


def write_node_data(
    file: Path, folder: Path | None, errors: Sequence[LayerErrorRecord]
) -> tuple[tuple[Path, ...], tuple[str, ...], bool]:
    """Writes one document per measure.

    Args:
        file: a `.tflite`.
        folder: where they go; None for `<stem>.explorer` in the folder of the file.
        errors: of tensors of the file.

    Returns:
        The documents, the command that opens them, and whether Model Explorer is installed.

    Raises:
        UsageError: the file is no `.tflite`.
        ExportError: it is malformed, or the folder cannot be written.
    """
    from tfopt.backend.audit import inspect as inspection
    from tfopt.backend.bench.operator_times import operator_times
    from tfopt.backend.explain.node_data import node_data
    from tfopt.backend.tflite import flatbuffer

    if inspection.inspect(file).format != "tflite":
        raise UsageError(f"{file} is no .tflite: Model Explorer gets node data of operators.", code="unknown_file_type")
    try:
        measured = operator_times(file)
        times = {one.index: one.ms for one in measured if one.ms is not None}
    except TfoptError:  # a file that does not run still has weights to show
        times = None
    target = folder or file.with_suffix(".explorer")
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, document in node_data(flatbuffer.read(file), errors, times).items():
            path = target / f"{file.stem}.{name}.json"
            path.write_text(json.dumps(document, indent=1), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise ExportError(
            f"Cannot write {target}: {error.strerror or error}.", "Give a different folder.", code="cannot_write"
        ) from error
    command = ("model-explorer", str(file), f"--node_data_paths={','.join(map(str, written))}")
    return tuple(written), command, find_spec("model_explorer") is not None
