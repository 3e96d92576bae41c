"""Float32 `.tflite` files of models, to be measured: written by the route of the export, without claims."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tf_keras

from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.keras_files import saved_model
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.errors import StageError


def write_float_files(models: Mapping[str, tf_keras.Model], folder: Path) -> dict[str, Path]:
    """Converts models; path of the file by name.

    Args:
        models: by name, which can be part of a path.
        folder: where the files go.

    Raises:
        StageError: the converter refuses a model.
        ExportError: the disk is full or the folder is read-only.
    """
    files = []
    for name, model in models.items():
        signature = saved_model.signature_of(model)
        shapes = {port: tuple(tensor.shape[1:]) for port, tensor in zip(model.input_names, model.inputs, strict=True)}
        saved_model.write_saved_model(model, signature, folder / f"{name}_saved", 1, shapes)
        files.append(Conversion(name, Variant(), folder / f"{name}_saved", folder / f"{name}.tflite", {}))
    failures = convert(files, lambda name: None)
    if failures:
        failure = next(iter(failures.values()))
        raise StageError(
            f"the latency cannot be measured, as no float32 .tflite of the network can be made: {failure.reason}.",
            "Write another budget, such as macs: 50%.",
            code="conversion_failed",
        )
    return {file.name: file.target for file in files}
