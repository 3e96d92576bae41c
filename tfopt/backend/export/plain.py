"""Plain integer files in addition to those of a quantizing stage: the model before the stage, quantized after training.

They are made, run on the test split and thrown away: only their measures are kept, so that a report says whether the
stage was worth it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.data.splits import num_examples
from tfopt.backend.export.calibration import save_calibration
from tfopt.backend.export.convert import Conversion
from tfopt.backend.export.forms import forms, request_for
from tfopt.backend.export.integers.float_rules import float_request
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.measures import file_measures
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.backend.tflite import predict
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.tflite.quantum import output_quanta
from tfopt.backend.training.measure import measure
from tfopt.backend.types import Array, Arrays
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import SimulationRecord

_PARTS = 20
"""Parts of the test split; how much a difference varies between them is the noise of the difference."""

_STANDARD_ERRORS = 2.0

_NOTICEABLE = 1e-3
"""A loss below this share of the plain file's metric is not worth a sentence, however certain it is."""


def plain_conversions(variants: Mapping[str, Variant], context: ExportContext, work: Path) -> dict[str, Conversion]:
    """The conversions to make for comparison, by the name of the variant.

    Args:
        variants: the files of the recipe.
        context: of the export.
        work: folder that does not exist; SavedModel, calibration examples and files go there.

    Returns:
        One per variant that is made from the simulated model; none where no stage quantized the model.

    Raises:
        ExportError: the SavedModel cannot be written.
    """
    chosen = {name: variant for name, variant in variants.items() if variant.from_qat}
    if context.before_quantizing is None or not chosen:
        return {}
    model = context.before_quantizing.load()
    signature = saved_model.signature_of(model, context.compile.all_outputs)
    work.mkdir()
    form_of = forms(chosen, model, context.data.input_shape)
    for form in {form.name: form for form in form_of.values()}.values():
        form.write(signature, work / form.name)
    found: dict[str, Conversion] = {}
    for name, variant in chosen.items():
        calibration = save_calibration(name, variant, model, signature, context, work / f"{name}.calibration")
        label = f"{name} without {context.before_quantizing.stage}"
        request = request_for(form_of[name], float_request(variant, model))
        target = work / f"{name}.tflite"
        layers = layer_modes(variant, model, form_of[name].original_names)
        found[name] = Conversion(label, variant, work / form_of[name].name, target, calibration, request, layers)
    return found


@dataclass(frozen=True)
class PlainFile:
    """One plain file.

    Args:
        file: exists unless it failed.
        failure: why it could not be converted, or None.
        outputs: on the test split by output name, where it ran already.
    """

    file: Path
    failure: str | None
    outputs: Mapping[str, Array] | None = None

    def compared_with(
        self, file: Path, outputs: Mapping[str, Array], inputs: Mapping[str, Path], context: ExportContext
    ) -> SimulationRecord:
        """What the quantizing stage was worth for a file.

        Args:
            file: of the recipe.
            outputs: its outputs on the test split by name.
            inputs: .npy file of the test inputs per input.
            context: of the export.
        """
        stage = context.before_quantizing.stage if context.before_quantizing is not None else ""
        several = bool(context.compile.all_outputs)
        quanta = {name: quantum for name, quantum in output_quanta(file, outputs).items() if quantum is not None}
        record = SimulationRecord(
            stage=stage,
            quantum=None if several else next(iter(quanta.values()), None),
            quanta=quanta if several else None,
            plain_failed=self.failure or "",
        )
        if self.failure is not None:
            return record
        found = self.outputs
        if found is None:
            try:
                found = predict.run_file(self.file, inputs, self.file.parent, os.cpu_count() or 1).outputs
            except (ProcessCrashed, ProcessFailed) as error:
                return record.model_copy(update={"plain_failed": str(error)})
        measures = attempt(file_measures, found, context.data.test, context.compile, context.dense)
        if isinstance(measures, Failure):
            return record.model_copy(update={"plain_failed": measures.reason})
        worse = is_worse(
            _judged(outputs, context.compile),
            _judged(found, context.compile),
            context.data.test.targets,
            context.compile,
            context.data.test.weights,
        )
        return record.model_copy(update={"plain": measures, "worse_than_plain": worse})


def _judged(outputs: Mapping[str, Array], compile: Compile) -> Arrays:
    return dict(outputs) if compile.all_outputs else next(iter(outputs.values()))


def _part(arrays: Arrays, part: slice) -> Arrays:
    return {name: values[part] for name, values in arrays.items()} if isinstance(arrays, dict) else arrays[part]


def twin_of(variant: Variant, others: Mapping[str, Variant]) -> str | None:
    """The name of the file that differs from a variant in nothing but the quantizing stage; None where there is none.

    Args:
        variant: made after that stage.
        others: those with `ptq: true`, by name.
    """
    same = _made_as(variant)
    return next((name for name, other in others.items() if variant.from_qat and _made_as(other) == same), None)


def _made_as(variant: Variant) -> dict[str, object]:
    return variant.model_dump(exclude={"ptq", "agreement", "accept", "sensitivity"})


def is_worse(outputs: Arrays, plain: Arrays, targets: Arrays, compile: Compile, weights: Arrays | None = None) -> bool:
    """Whether outputs are worse than others in the recipe's first metric, by more than noise.

    The split is cut into parts, and both sets of outputs are measured on each: they are worse where the mean of the
    differences is beyond two of its standard errors. As both see the same examples, how hard those are cancels out; any
    metric can be judged so.

    Args:
        outputs: of the file that may be worse, (examples, ...); by name where the recipe names outputs.
        plain: of the other, of the same shape.
        targets: what they should be.
        compile: whose main metric counts.
        weights: of the examples; those of weight 0 are not judged. None where all count the same.
    """
    sign = 1.0 if higher_is_better(compile.metric) else -1.0

    def of_part(part: slice) -> Arrays | None:
        return None if weights is None else _part(weights, part)

    def metric(of: Arrays, part: slice) -> float:
        return sign * measure(_part(of, part), _part(targets, part), compile, of_part(part))[compile.metric]

    reference = metric(plain, slice(None))
    if reference - metric(outputs, slice(None)) <= _NOTICEABLE * abs(reference):
        return False
    parts = min(_PARTS, num_examples(targets))
    cuts = [slice(start, None, parts) for start in range(parts)]  # every twentieth example: splits are often sorted
    losses = np.array([metric(plain, cut) - metric(outputs, cut) for cut in cuts])
    losses = losses[np.isfinite(losses)]
    if len(losses) < 2:
        return False
    return bool(losses.mean() > _STANDARD_ERRORS * losses.std(ddof=1) / np.sqrt(len(losses)))
