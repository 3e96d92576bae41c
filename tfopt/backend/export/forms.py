"""What each `.tflite` file is converted from: which model, and with which sizes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import tf_keras

from tfopt.backend.calibration.rewrites.weight_changes import NO_CHANGES, WeightChanges
from tfopt.backend.export.integers.float_rules import FloatRequest
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.keras_files.open_inputs import open_inputs
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.integer_form import integer_form
from tfopt.backend.quantization.masked_softmax import integer_softmax, may_mask_inside
from tfopt.backend.types import Shape
from tfopt.core.config.files.tflite_variant import Variant


@dataclass(frozen=True)
class Form:
    """What one or more files are converted from.

    Args:
        name: one per form of a model; usable as the name of a folder.
        kind: `float`, or `qat`: with 8 bits simulated.
        model: the model.
        batch: fixed number of examples per call; None for any.
        shapes: of one example, by name of an input whose open axes are fixed.
        original_names: by name of a layer of `model`, the layer of the recipe's model that it computes, where the two
            differ.
        masked: the recipe's model with masks as tensors, where `model` is that; None where it has none.
        changes: weights of `model` that are rewritten in the SavedModel, without a change of its outputs.
        integer: whether masked scores of layers that are not opened are set for 8 bits.
    """

    name: str
    kind: str
    model: tf_keras.Model
    batch: int | None
    shapes: Mapping[str, Shape]
    original_names: Mapping[str, str] = field(default_factory=dict)
    masked: Canonical | None = None
    changes: WeightChanges = NO_CHANGES
    integer: bool = False

    def write(self, signature: saved_model.Signature, folder: Path) -> None:
        """Writes the SavedModel of this form.

        Raises:
            ExportError: the disk is full or the folder is read-only.
        """
        with self.changes.applied(), integer_softmax() if self.integer else nullcontext():
            saved_model.write_saved_model(self.model, signature, folder, self.batch, self.shapes)


def forms(
    variants: Mapping[str, Variant],
    model: tf_keras.Model,
    example: Shape | Mapping[str, Shape] | None,
    simulated: Mapping[str, tf_keras.Model] = MappingProxyType({}),
    original_names: Mapping[str, str] = MappingProxyType({}),
    changes: Mapping[str, WeightChanges] = MappingProxyType({}),
) -> dict[str, Form]:
    """The form of each variant.

    Args:
        variants: the files by name.
        model: the float model.
        example: shape of one example of the data, by input name where there are several; None where there are none.
        simulated: by name of a variant, the model that simulates 8 bits for it, if a stage left one.
        original_names: names of the layers of `model` by those of the layers that compute them in `simulated`.
        changes: by name of a variant that is made of the float model, its rewritten weights.

    Raises:
        StageError: a model with masks cannot be rewritten.
    """
    fixed = open_inputs(model, example)
    made: dict[tuple[object, ...], Form] = {}
    found: dict[str, Form] = {}
    for name, variant in variants.items():
        shapes = fixed if variant.fixed_shape else {}
        batch = variant.fixed_batch
        if batch is None and not variant.any_batch and saved_model.needs_fixed_batch(model):
            batch = 1
        quantized = simulated.get(name) if variant.from_qat else None
        change = changes.get(name, NO_CHANGES)
        key = (id(quantized), variant.mode.integer_only, batch, bool(shapes), id(change))
        if key not in made:
            integer = variant.mode.integer_only and may_mask_inside(model if quantized is None else quantized)
            sizes = f"{'any' if batch is None else batch}{'-fixed' if shapes else ''}"
            sizes += f"-rewritten{len(made)}" if change.values else ""
            if quantized is not None:
                name_of_form = f"qat-{len(made)}-{sizes}"
                made[key] = Form(name_of_form, "qat", quantized, batch, shapes, original_names, integer=integer)
            elif variant.mode.integer_only and (masked := _with_masks(model, shapes, change)) is not None:
                names = masked.original_names
                made[key] = Form(
                    f"masked-{sizes}", "float", masked.model, batch, shapes, names, masked, integer=integer
                )
            else:
                kind = "integer" if integer else "float"
                made[key] = Form(f"{kind}-{sizes}", "float", model, batch, shapes, changes=change, integer=integer)
        found[name] = made[key]
    return found


def _with_masks(model: tf_keras.Model, shapes: Mapping[str, Shape], change: WeightChanges) -> Canonical | None:
    """The form with masks as tensors, a copy with the rewritten weights; None for a model without masks."""
    with change.applied():
        return integer_form(model, shapes)


def request_for(form: Form, request: FloatRequest) -> FloatRequest:
    """What a file keeps in float, with the names of the layers that compute it in a form."""
    return replace(request, aliases=form.original_names) if request.names else request
