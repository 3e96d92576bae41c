"""What files are converted from: SavedModels, with what their models return for the test split, and conversions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tf_keras

from tfopt.backend.export.calibration import save_calibration
from tfopt.backend.export.convert import Conversion
from tfopt.backend.export.forms import Form
from tfopt.backend.export.integers.float_rules import FloatRequest
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.tflite_run import Source
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.backend.types import Array
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext


def sources_of(
    float_model: tf_keras.Model,
    form_of: Mapping[str, Form],
    signature: saved_model.Signature,
    context: ExportContext,
    work: Path,
) -> dict[str, Source | Failure]:
    """The models that the variants need, by name of the form, saved, with their outputs; why one could not be."""
    outputs: dict[int, Mapping[str, Array]] = {}

    def source(form: Form) -> Source:
        folder = work / form.name
        form.write(signature, folder)
        # Masks as tensors change no output, so the float model is what their files are compared with.
        model = float_model if form.kind == "float" else form.model
        if id(model) not in outputs:
            outputs[id(model)] = saved_model.predict(model, context.data.test.inputs, signature)
        return Source(form.kind, folder, outputs[id(model)])

    needed = {form.name: form for form in form_of.values()}
    return {name: attempt(source, needed[name]) for name in sorted(needed)}


def conversion_of(
    name: str,
    variant: Variant,
    floats: FloatRequest,
    model: tf_keras.Model,
    signature: saved_model.Signature,
    form: Form,
    source: Source | Failure,
    ranges: Mapping[str, tuple[float, float]],
    context: ExportContext,
    work: Path,
) -> Conversion | Failure:
    """What one file is converted from, with its calibration examples; why that is not known."""
    if isinstance(source, Failure):
        return source
    learned = ranges if source.kind == "qat" else {}
    folder = work / f"{name}.calibration"
    files = attempt(save_calibration, name, variant, model, signature, context, folder, learned)
    if isinstance(files, Failure):
        return files
    layers = layer_modes(variant, model, form.original_names)
    return Conversion(name, variant, source.saved_model, work / f"{name}.tflite", files, floats, layers)
