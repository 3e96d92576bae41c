"""Training examples for the ranges of a calibrated `.tflite` file, as files for the converter's process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tf_keras

from tfopt.backend.calibration.selection import calibration_split
from tfopt.backend.export.convert import Conversion
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.quantization.input_ranges import with_ranges
from tfopt.backend.types import Array
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext
from tfopt.errors import ExportError


def save_calibration(
    name: str,
    variant: Variant,
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
    folder: Path,
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> dict[str, Path]:
    """Writes the examples of one variant.

    Args:
        name: of the variant.
        variant: says which examples.
        model: whose inputs they are.
        signature: names of its inputs.
        context: data and seed.
        folder: created.
        ranges: of inputs, by Keras name, that training learned: the examples show exactly these.

    Returns:
        The .npy file of each input; nothing for a variant that is not calibrated.

    Raises:
        ExportError: there is no training split.
        StageError: the selection fails.
    """
    if not variant.calibrated:
        return {}
    if context.data is None or len(context.data.train) == 0:
        raise ExportError(
            f"Export {name} needs training examples to calibrate its ranges, but the recipe has none.",
            "Give the recipe data with a training split; noise would give ranges that fit no real input.",
            code="no_calibration_data",
        )
    examples = calibration_split(context.data, variant.calibrating, context.seed)
    given = examples.inputs if isinstance(examples.inputs, dict) else {model.input_names[0]: examples.inputs}
    return save_arrays(saved_model.named_inputs(with_ranges(given, ranges), model, signature), folder)


def calibration_details(conversion: Conversion) -> dict[str, Any]:
    """What a report says about the calibration of a file: how many examples, and how."""
    if not conversion.calibration:
        return {"calibration": 0}
    calibration = conversion.variant.calibrating
    examples = len(np.load(next(iter(conversion.calibration.values())), mmap_mode="r"))
    asked = calibration.examples if calibration.function is None else examples
    return {"calibration": asked} | ({"calibrated_with": words} if (words := calibration.words()) else {})


def save_arrays(arrays: Mapping[str, Array], folder: Path) -> dict[str, Path]:
    """Writes arrays into a new folder; returns the .npy file of each."""
    folder.mkdir()
    files = {name: folder / f"{name}.npy" for name in arrays}
    for name, values in arrays.items():
        np.save(files[name], values)
    return files
