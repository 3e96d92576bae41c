"""One more `.tflite` of a model that was exported: the same variant with other keys, for a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tf_keras

from tfopt.backend.calibration.rewrites.weight_changes import WeightChanges
from tfopt.backend.export.calibration import rewritten_weights, save_calibration
from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.forms import forms, request_for
from tfopt.backend.export.integers.float_rules import float_request, simulated_elsewhere
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.quantization.input_ranges import input_ranges
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.core.claims.failures import Failure
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext


def remade(
    name: str, variant: Variant, model: tf_keras.Model | Quantized, context: ExportContext, work: Path
) -> Path | Failure:
    """Converts a model, as an export does, into a folder.

    Args:
        name: of the file.
        variant: its keys.
        model: what is exported.
        context: data and seed.
        work: folder that is created; everything goes there.

    Raises:
        ExportError: the SavedModel cannot be written.
    """
    work.mkdir()
    float_model, quantized = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model, context.compile.all_outputs)
    request = float_request(variant, model)
    simulated: dict[str, tf_keras.Model] = {}
    names: Mapping[str, str] = {}
    if isinstance(model, Quantized):
        simulated, names = {name: simulated_elsewhere(model, request.layers).model}, model.original_names
    changes: dict[str, WeightChanges] = {}
    for rewritten in rewritten_weights({name: variant}, float_model, context).values():
        if isinstance(rewritten, Failure):
            return rewritten
        changes[name] = rewritten
    form = forms({name: variant}, float_model, context.data.input_shape, simulated, names, changes)[name]
    form.write(signature, work / "model")
    learned = input_ranges(quantized) if quantized is not None and form.kind == "qat" else {}
    calibration = save_calibration(name, variant, float_model, signature, context, work / "calibration", learned)
    target = work / f"{name}.tflite"
    layers = layer_modes(variant, float_model, form.original_names)
    conversion = Conversion(name, variant, work / "model", target, calibration, request_for(form, request), layers)
    return convert([conversion], lambda _: None).get(name, target)
