"""Training examples for the ranges of a calibrated `.tflite` file, as files for the converter's process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tf_keras

from tfopt.backend.calibration.rewrites.weight_changes import WeightChanges, weight_changes
from tfopt.backend.calibration.selection import calibration_split
from tfopt.backend.data.arrays.reading import arrays_in_memory
from tfopt.backend.data.arrays.stored import save_rows
from tfopt.backend.export.convert import Conversion
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.quantization.input_ranges import with_ranges
from tfopt.backend.types import ExampleArray
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.calibration import Calibration
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
    inputs = arrays_in_memory(examples.inputs, "The calibration examples")
    given = inputs if isinstance(inputs, dict) else {model.input_names[0]: inputs}
    return save_arrays(saved_model.named_inputs(with_ranges(given, ranges), model, signature), folder)


def rewritten_weights(
    variants: Mapping[str, Variant], model: tf_keras.Model, context: ExportContext
) -> dict[str, WeightChanges | Failure]:
    """The weights that are rewritten for the variants whose `calibration` asks for it; why they could not be.

    Args:
        variants: the files by name.
        model: the float model.
        context: data and seed.
    """
    known: dict[Calibration, WeightChanges | Failure] = {}

    def changes(calibration: Calibration) -> WeightChanges:
        return weight_changes(model, calibration, calibration_split(context.data, calibration, context.seed).inputs)

    for calibration in (v.calibrating for v in variants.values() if v.calibrated and v.calibrating.rewrites):
        if calibration not in known:
            known[calibration] = attempt(changes, calibration)
    return {name: known[v.calibrating] for name, v in variants.items() if v.calibrated and v.calibrating in known}


def calibration_details(conversion: Conversion, rewritten: Sequence[str]) -> dict[str, object]:
    """What a report says about the calibration of a file: how many examples, and how.

    Args:
        conversion: of the file.
        rewritten: the chains of layers between which channels were scaled.
    """
    if not conversion.calibration:
        return {"calibration": 0}
    calibration = conversion.variant.calibrating
    examples = len(np.load(next(iter(conversion.calibration.values())), mmap_mode="r"))
    asked = calibration.examples if calibration.function is None else examples
    details: dict[str, object] = {"calibration": asked}
    if words := calibration.words():
        details["calibrated_with"] = words
    return {**details, "rewritten": [*rewritten]} if rewritten else details


def save_arrays(arrays: Mapping[str, ExampleArray], folder: Path) -> dict[str, Path]:
    """Writes arrays into a new folder; returns the .npy file of each."""
    folder.mkdir()
    files = {name: folder / f"{name}.npy" for name in arrays}
    for name, values in arrays.items():
        save_rows(files[name], values)
    return files
