"""The errors and the sensitivity of the layers of an exported file, and rules that would make it good enough."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tf_keras
from pydantic import ValidationError

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.splits import Split
from tfopt.backend.explain import advice
from tfopt.backend.explain import sensitivity as measuring
from tfopt.backend.explain.judge import Judge
from tfopt.backend.explain.layer_errors import EXAMPLES, layer_errors
from tfopt.backend.explain.rewritten_files import Ran, of_file
from tfopt.backend.export.calibration import save_arrays
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.measured import Measured
from tfopt.backend.export.remade import remade
from tfopt.backend.export.tflite_run import Evaluation
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.graph.layers import layer_paths, layer_type
from tfopt.backend.models.outputs import of_output
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.tflite import predict
from tfopt.backend.types import Array
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.targets import target_of
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.events import SensitivityProgress, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.explanation import EffectRecord, ExplanationRecord, LayerErrorRecord, SensitivityTable
from tfopt.errors import ExportError


@dataclass(frozen=True)
class Asked:
    """A file whose layers are measured, and what it was made from.

    Args:
        name: of the file in the recipe: budgets are about it.
        file: the `.tflite`.
        variant: its keys.
        model: what it was made from, to make files with rules; None where that is not known.
        context: data, loss, budgets.
        names: finds the Keras layer of a tensor's name.
        errors: of the layers inside the file.
        examples: of a split, the .npy file of each input of the file, in the order of the model, and the outputs of the
            model.
        twin: a float file of the same weights, where there is no model.
    """

    name: str
    file: Path
    variant: Variant
    model: tf_keras.Model | Quantized | None
    context: ExportContext
    names: LayerNames
    errors: Sequence[LayerErrorRecord]
    examples: Callable[[Split], tuple[dict[str, Path], dict[str, Array]]]
    twin: Path | None = None

    @property
    def float_model(self) -> tf_keras.Model | None:
        """The model without simulated quantization."""
        return None if self.model is None else saved_model.float_and_quantized(self.model)[0]


def explained(
    measured: Measured, variant: Variant, model: tf_keras.Model | Quantized, evaluation: Evaluation
) -> Measured:
    """A file with the errors and the sensitivity of its layers, where the recipe asks for them and it ran.

    Args:
        measured: the file.
        variant: its keys in the recipe.
        model: what was exported.
        evaluation: context, names of layers, folder for values.
    """
    record = measured.record
    if not variant.sensitivity or record.explanation is None:
        return measured
    explanation = with_sensitivity(record.name, variant, record.explanation, model, evaluation)
    return replace(measured, record=record.model_copy(update={"explanation": explanation}))


def with_sensitivity(
    name: str,
    variant: Variant,
    explanation: ExplanationRecord,
    model: tf_keras.Model | Quantized,
    evaluation: Evaluation,
) -> ExplanationRecord:
    """Adds to an explanation the errors of the layers, and their sensitivity; where one fails, a note says why.

    Examples are those of the validation split (of the training split where that is empty): layers are chosen by them.

    Args:
        name: of the file, which is in the folder of the context.
        variant: its keys.
        explanation: of its predictions.
        model: what was exported.
        evaluation: context, names of layers, folder for values.
    """
    with tempfile.TemporaryDirectory(prefix="sensitivity-", dir=evaluation.work) as folder:
        work = Path(folder)
        measured = attempt(_layer_errors, name, evaluation, work)
        errors = [] if isinstance(measured, Failure) else measured
        table = attempt(sensitivity_table, _asked(name, variant, errors, model, evaluation, work), work)
    notes = [
        f"{what} is not known: {found.reason}"
        for what, found in (("The error of each layer", measured), ("The sensitivity of each layer", table))
        if isinstance(found, Failure)
    ]
    for note in notes:
        evaluation.context.emit(Warned(f"{name}: {note}"))
    return explanation.model_copy(
        update={
            "layers": errors,
            "layer_examples": min(EXAMPLES, len(evaluation.context.data.test)) if errors else 0,
            "sensitivity": None if isinstance(table, Failure) else table,
            "notes": [*explanation.notes, *notes],
        }
    )


def _layer_errors(name: str, evaluation: Evaluation, work: Path) -> list[LayerErrorRecord]:
    file = evaluation.context.folder / f"{name}.tflite"
    return layer_errors(file, evaluation.model, evaluation.few, evaluation.aliases, work)


def _asked(
    name: str,
    variant: Variant,
    errors: Sequence[LayerErrorRecord],
    model: tf_keras.Model | Quantized,
    evaluation: Evaluation,
    work: Path,
) -> Asked:
    float_model = evaluation.model
    signature = saved_model.signature_of(float_model, evaluation.context.compile.all_outputs)

    def examples(split: Split) -> tuple[dict[str, Path], dict[str, Array]]:
        inputs = save_arrays(saved_model.named_inputs(split.inputs, float_model, signature), work / "inputs")
        return inputs, saved_model.predict(float_model, split.inputs, signature)

    return Asked(
        name,
        evaluation.context.folder / f"{name}.tflite",
        variant,
        model,
        evaluation.context,
        LayerNames(evaluation.layer_names, evaluation.aliases),
        errors,
        examples,
    )


def sensitivity_table(asked: Asked, work: Path) -> SensitivityTable:
    """One layer of a file at a time, and the rules that make it good enough.

    Raises:
        ExportError: the file has no quantized layer, or does not run.
        StageError: targets do not fit the outputs.
    """
    context, float_model = asked.context, asked.float_model
    split: Literal["validation", "train"] = "validation" if len(context.data.validation) else "train"
    examples = getattr(context.data, split).take(measuring.EXAMPLES, context.seed)
    output = context.compile.main_output
    if context.compile.outputs and not output:
        raise ExportError(
            f"{context.compile.metric} is of all outputs together, but one output is measured: set compile.main_metric "
            "to a metric of one",
            code="incompatible_model",
        )
    inputs, outputs = asked.examples(examples)
    expected = outputs[output] if output else next(iter(outputs.values()))
    weights = None if examples.weights is None else of_output(examples.weights, output)
    targets = in_memory(of_output(examples.targets, output))
    judge = Judge(expected, targets, context.compile.meaning_of(output), weights)
    twin: Path | Failure | None = asked.twin
    if float_model is not None:
        as_float = Variant(batch=asked.variant.batch, shape=asked.variant.shape)
        twin = attempt(remade, "float", as_float, float_model, context, work / "float")
    types = {} if float_model is None else {layer.name: layer_type(layer) for _, layer in layer_paths(float_model)}
    found = measuring.sensitivity(
        measuring.Subject(
            file=asked.file,
            inputs=inputs,
            judge=judge,
            split=split,
            names=asked.names,
            types=types,
            twin=None if isinstance(twin, Failure) else twin,
            errors=asked.errors,
            work=work,
            output=output,
            done=lambda number, total: context.emit(SensitivityProgress(asked.name, number, total)),
        )
    )
    attempts: list[Path] = []

    def measure(layers: Sequence[str]) -> EffectRecord | str:
        attempts.append(work / f"rules-{len(attempts)}")
        ran = _with_rules(asked, layers, inputs, attempts[-1])
        return ran if isinstance(ran, str) else judge.effect(ran)

    target = target_of(asked.name, asked.variant, context.budgets, context.compile, found.table.model)
    advised = advice.advise(found, target, None if asked.model is None else measure, asked.variant.layers or ())
    return found.table.model_copy(update={"advice": advised, "metric": context.compile.metric})


def _with_rules(asked: Asked, layers: Sequence[str], inputs: Mapping[str, Path], work: Path) -> Ran | str:
    """A file with these layers in float, run on the examples; why there is none."""
    rules = [{"match": advice.pattern(layer), "quantize": "none"} for layer in layers]
    keys = asked.variant.model_dump(mode="json", exclude_none=True)
    try:
        changed = Variant.model_validate({**keys, "layers": [*keys.get("layers", []), *rules]})
    except ValidationError as error:
        return f"no such file can be made: {error.errors()[0]['msg']}"
    if asked.model is None:
        return "there is no Keras model to convert"
    made = attempt(remade, asked.name, changed, asked.model, asked.context, work)
    if isinstance(made, Failure):
        return made.reason
    names = saved_model.signature_of(saved_model.float_and_quantized(asked.model)[0]).inputs
    given = dict(zip(names, inputs.values(), strict=True))
    ran = attempt(predict.run_file, made, given, work)
    if isinstance(ran, Failure):
        return ran.reason
    return Ran(of_file(ran.outputs, asked.context.compile.main_output), made.stat().st_size)
