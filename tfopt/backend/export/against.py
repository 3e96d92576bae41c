"""Compares any `.tflite` with any model on the data of a recipe: predictions, layers, sensitivity."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.audit import inspect as inspection
from tfopt.backend.data.arrays.reading import named
from tfopt.backend.data.splits import Split
from tfopt.backend.explain.layer_errors import EXAMPLES, layer_errors
from tfopt.backend.explain.ports import check_one_output, inputs_of, outputs_of, same_shape
from tfopt.backend.explain.predictions import explain_output
from tfopt.backend.explain.tensor_errors import tensor_errors
from tfopt.backend.export.calibration import save_arrays
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.sensitivity import Asked, sensitivity_table
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.models import build as models
from tfopt.backend.models.compatibility import check_fits
from tfopt.backend.models.outputs import for_model
from tfopt.backend.tflite import predict
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.types import Array, ExampleArray
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import DEFAULT, MODES
from tfopt.core.contracts.export import ExportContext
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.core.records.explanation import ExplanationRecord, LayerErrorRecord, SensitivityTable
from tfopt.core.records.report import AuditRecord
from tfopt.errors import ExportError, UsageError


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Args:
        file: a `.tflite`.
        against: the model that is believed: a Keras file, SavedModel or `.tflite`.
        name: of the file in the recipe, whose keys and budgets count; else the file's own.
        variant: keys of the file; None where the recipe has no such file, and they are guessed from its contents.
        context: folder for values, data, loss and budgets.
        allow_unsafe: runs Python code that a model file holds.
        sensitivity: whether one layer at a time is measured.
    """

    file: Path
    against: Path
    name: str
    variant: Variant | None
    context: ExportContext
    allow_unsafe: bool = False
    sensitivity: bool = False


def compare(asked: Comparison) -> ExplanationRecord:
    """Compares predictions on the test split, values inside on its first examples, and layers on the validation split.

    Raises:
        UsageError: the file is no `.tflite`.
        StageError: the model or the data cannot be loaded, or do not fit together.
        ExportError: the file is malformed, does not run, or does not fit the data or the model.
    """
    audit = _audit(asked.file)
    data = asked.context.data
    model = None
    if asked.against.suffix != ".tflite":
        config = ModelConfig(source=str(asked.against.absolute()), allow_unsafe=asked.allow_unsafe)
        built = models.build(config, data, asked.context.seed)
        model = built.model
        compile, data, _ = for_model(asked.context.compile, data, built.outputs, model.name)
        check_fits(model, data, compile)
        asked = replace(asked, context=replace(asked.context, compile=compile, data=data))
    elif asked.context.compile.outputs:
        names = asked.context.compile.all_outputs  # a file's order says nothing: outputs are found by name
        compile, data, _ = for_model(asked.context.compile, data, names, asked.against.name)
        asked = replace(asked, context=replace(asked.context, compile=compile, data=data))
    with tempfile.TemporaryDirectory(prefix="tfopt-inspect-") as folder:
        work = Path(folder)
        sides = _Sides(asked, audit, model, work)
        before, after = sides.expected(data.test, "test"), sides.found(data.test, "test")
        after = {
            name: same_shape(asked.file.name, values, asked.against.name, expected)
            for (name, values), expected in zip(after.items(), before.values(), strict=True)
        }
        explanation = explain_output(before, after, data, asked.context.compile, against=asked.against.name)
        layers = attempt(sides.layers, data.test)
        errors = [] if isinstance(layers, Failure) else layers
        table = attempt(sides.sensitivity, errors) if asked.sensitivity else None
    return explanation.model_copy(
        update={
            "layers": errors,
            "layer_examples": min(EXAMPLES, len(data.test)) if errors else 0,
            "sensitivity": table if isinstance(table, SensitivityTable) else None,
            "notes": [*explanation.notes, *_notes(asked, model, layers, table)],
        }
    )


def _audit(file: Path) -> AuditRecord:
    audit = inspection.inspect(file)
    if audit.format != "tflite":
        raise UsageError(
            f"{file} is no .tflite: `--against` compares a .tflite with a model.",
            "Give the .tflite first, and the Keras model after --against.",
            code="unknown_file_type",
        )
    return audit


@dataclass(frozen=True)
class _Sides:
    """The file and the model, as far as examples go into them."""

    asked: Comparison
    audit: AuditRecord
    model: tf_keras.Model | None
    work: Path

    def expected(self, split: Split, name: str) -> dict[str, Array]:
        """Outputs of the model by name."""
        if self.model is not None:
            outputs = saved_model.predict(self.model, split.inputs, self._signature(self.model))
            return self._of_recipe(self.asked.against, outputs)
        return self._run(self.asked.against, _audit(self.asked.against), split, f"{name}-against")

    def _signature(self, model: tf_keras.Model) -> saved_model.Signature:
        return saved_model.signature_of(model, self.asked.context.compile.all_outputs)

    def found(self, split: Split, name: str) -> dict[str, Array]:
        """Outputs of the file by name."""
        return self._run(self.asked.file, self.audit, split, name)

    def _arrays(self, split: Split) -> dict[str, ExampleArray]:
        if self.model is not None:
            return saved_model.named_inputs(split.inputs, self.model, self._signature(self.model))
        return dict(named(split.inputs))

    def inputs(self, file: Path, audit: AuditRecord, split: Split, folder: str) -> dict[str, Path]:
        """.npy file of each input of a file."""
        named = inputs_of(file.name, audit, self._arrays(split))
        stored = save_arrays(
            {f"input{number}": values for number, values in enumerate(named.values())}, self.work / folder
        )
        return dict(zip(named, stored.values(), strict=True))

    def _run(self, file: Path, audit: AuditRecord, split: Split, folder: str) -> dict[str, Array]:
        files = self.inputs(file, audit, split, folder)
        try:
            outputs = predict.run_file(file, files, self.work / folder).outputs
        except (ProcessCrashed, ProcessFailed) as error:
            raise ExportError(f"{file} does not run on these data: {error}", code=error.code) from error
        return self._of_recipe(file, outputs)

    def _of_recipe(self, file: Path, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs that the recipe names, whatever their order in the file; the only one where it names none."""
        names = self.asked.context.compile.all_outputs
        if not names:
            check_one_output(file.name, [*outputs])
            return dict(outputs)
        shapes = {}
        if self.model is not None:
            shapes = {name: tuple(one.shape[1:]) for name, one in zip(names, self.model.outputs, strict=True)}
        return outputs_of(file.name, outputs, names, shapes)

    def layers(self, split: Split) -> list[LayerErrorRecord]:
        """Errors inside the file."""
        few = split.select(np.arange(min(EXAMPLES, len(split))))
        inputs = self.inputs(self.asked.file, self.audit, few, "few")
        if self.model is not None:
            return layer_errors(self.asked.file, self.model, inputs, {}, self.work)
        against = self.inputs(self.asked.against, _audit(self.asked.against), few, "few-against")
        return tensor_errors(self.asked.file, self.asked.against, (inputs, against), self.work, EXAMPLES)

    def sensitivity(self, errors: Sequence[LayerErrorRecord]) -> SensitivityTable:
        """One layer at a time."""
        names = () if self.model is None else tuple(layer.name for _, layer in layer_paths(self.model))
        asked = Asked(
            self.asked.name,
            self.asked.file,
            self.asked.variant or guessed_variant(self.audit),
            self.model,
            self.asked.context,
            LayerNames(names),
            errors,
            lambda split: (
                self.inputs(self.asked.file, self.audit, split, "sensitivity"),
                self.expected(split, "sensitivity"),
            ),
            twin=None if self.model is not None else self.asked.against,
        )
        return sensitivity_table(asked, self.work)


def guessed_variant(audit: AuditRecord) -> Variant:
    """The keys of a file as far as its contents show: the mode whose weights and activations it has."""
    integers = {mode.activations for mode in MODES.values() if mode.integer_only}
    computed = integers & audit.activations.keys()
    weights = {tensor.dtype for tensor in audit.tensors if tensor.role == "weight"}
    fitting = [
        name
        for name, mode in MODES.items()
        if mode.is_quantized
        and (mode.activations in computed if computed else not mode.integer_only)
        and (mode.weights in weights or not weights)
    ]
    return Variant(quantize=fitting[0] if fitting else DEFAULT)


def _notes(
    asked: Comparison,
    model: tf_keras.Model | None,
    layers: list[LayerErrorRecord] | Failure,
    table: SensitivityTable | Failure | None,
) -> list[str]:
    """What could not be compared, and how values were matched."""
    notes = []
    if isinstance(layers, Failure):
        notes.append(f"Values inside the file are not compared: {layers.reason}")
    elif model is None and layers:
        notes.append("Values inside are matched by the names of tensors, as no Keras model was given.")
    elif not layers:
        whose = asked.against.name
        notes.append(
            f"Values inside are not compared: no tensor of {asked.file.name} is named after a layer of {whose}."
            if model is not None
            else f"Values inside are not compared: {asked.file.name} and {whose} have no tensor of the same name."
        )
    if isinstance(table, Failure):
        notes.append(f"The sensitivity of each layer is not known: {table.reason}")
    elif table is not None and asked.variant is None:
        notes.append(f"The recipe has no file {asked.name!r}: its claims are those of the mode that the contents show.")
    return notes
