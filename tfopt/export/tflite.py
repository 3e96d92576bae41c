"""`.tflite` files for LiteRT on phones and microcontrollers: named variants, each audited and run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_serializer, model_validator
from pydantic_core import CoreSchema

from tfopt.core.config.files.for_target import file_for_target, target_mistakes
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model
from tfopt.core.language.block import KeyMistake
from tfopt.core.language.mistakes import Mistake, RecipePath, below
from tfopt.core.language.wording import counted
from tfopt.core.targets.table import Target

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.contracts.trial import TrialConversion, TrialWorkload
    from tfopt.core.records.report import ExportRecord

_NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"

_SHARE_LEFT = 0.9
"""A file may be a little smaller than its weights alone: batch normalization is folded away."""


class Tflite(Export):
    """Writes `<variant>.tflite` for every variant named under `tflite:`."""

    converts: ClassVar[bool] = True

    variants: Annotated[dict[str, Variant], Field(min_length=1)]
    """The files by name."""

    @model_validator(mode="before")
    @classmethod
    def _names_are_keys(cls, value: object) -> object:
        # A variant without a body (`float32:`) is one with all defaults.
        return (
            {"variants": {k: v if v is not None else {} for k, v in value.items()}}
            if isinstance(value, dict)
            else value
        )

    @model_serializer
    def _as_written(self) -> dict[str, object]:
        return {name: variant.model_dump(mode="json") for name, variant in self.variants.items()}

    @field_validator("variants")
    @classmethod
    def _usable_as_file_names(cls, value: dict[str, Variant]) -> dict[str, Variant]:
        for name in value:
            if not re.fullmatch(_NAME, name):
                message = f"variant {name!r} becomes a file name: use letters, digits, '-' and '_'"
                raise KeyMistake((name,), message, on_key=True, code="invalid_name")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        block = handler.resolve_ref_schema(handler(schema))
        variant = block["properties"]["variants"]["additionalProperties"]
        return {
            "description": block["description"],
            "type": "object",
            "additionalProperties": {"anyOf": [variant, {"type": "null"}]},
            "propertyNames": {"pattern": f"^{_NAME}$"},
            "minProperties": 1,
        }

    def names(self) -> tuple[str, ...]:
        return tuple(self.variants)

    def tflite_files(self) -> Mapping[str, Variant]:
        return self.variants

    @classmethod
    def with_defaults_of(cls, body: object, target: Target) -> object:
        if not isinstance(body, Mapping):
            return body
        return {name: file_for_target(str(name), written, target) for name, written in body.items()}

    def problems_on(self, target: Target) -> Iterator[Mistake]:
        for name, variant in self.variants.items():
            for mistake in target_mistakes(name, variant, target):
                yield from below((name,), [mistake])

    def own_code(self) -> list[tuple[RecipePath, str]]:
        named = {name: variant.calibrating.function for name, variant in self.variants.items()}
        return [((name, "calibration", "select"), function) for name, function in named.items() if function]

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.backend.calibration.preflight import calibration_preflight
        from tfopt.backend.export.detections.preflight import detections_preflight
        from tfopt.backend.export.preflight import tflite_preflight
        from tfopt.backend.export.sparse.preflight import sparse_preflight
        from tfopt.backend.export.spectra import with_float_spectra
        from tfopt.backend.quantizer.preflight import quantizer_preflight
        from tfopt.core.contracts.preflight import Preflight

        found = tflite_preflight(model, self.variants, workload.traits, workload.example)
        found = found.joined(calibration_preflight(model, self.variants, workload.traits, workload.data))
        found = found.joined(sparse_preflight(model, self.variants, workload.pruning, trained=workload.trained))
        found = found.joined(detections_preflight(self.variants, workload))
        found = found.joined(quantizer_preflight(model, with_float_spectra(self.variants, model), workload.traits))
        warnings = [
            *self._calibration_warnings(workload),
            *self._sensitivity_warnings(workload),
            *self._budget_warnings(workload),
        ]
        return found.joined(Preflight(warnings=tuple(warnings)))

    def _calibration_warnings(self, workload: ExportWorkload) -> Iterator[str]:
        asking: dict[int, list[str]] = {}
        for name, variant in self.variants.items():
            calibration = variant.calibrating
            if variant.calibrated and not calibration.function and calibration.examples > workload.examples:
                asking.setdefault(calibration.examples, []).append(name)
        for examples, names in asking.items():
            yield (
                f"{', '.join(names)}: calibration asks for {counted(examples, 'example')}, the training split has "
                f"{workload.examples}; all of them are used."
            )

    def _sensitivity_warnings(self, workload: ExportWorkload) -> Iterator[str]:
        asked = [name for name, variant in self.variants.items() if variant.sensitivity]
        compile = workload.compile
        if asked and compile is not None and compile.outputs and not compile.main_output:
            yield (
                f"{', '.join(asked)}: sensitivity is measured on one output, but {compile.metric} is of all outputs "
                "together, so there will be no such table. Set compile.main_metric to a metric of one output."
            )

    def _budget_warnings(self, workload: ExportWorkload) -> Iterator[str]:
        for budget in workload.budgets:
            about_anomalies = budget.export in self.variants and budget.measure.startswith("anomaly_auc")
            if about_anomalies and workload.data is not None and workload.data.test.anomalies is None:
                yield (
                    f"{budget.name}: the test split of {workload.data.source} has no known anomalies to find, so the "
                    "budget cannot be met."
                )
            least = self.least_bytes(budget.export, workload.parameters)
            if budget.measure == "bytes" and least is not None and budget.limit < least:
                yield (
                    f"{budget.name}: {budget.limit:,.0f} bytes cannot be met: {workload.parameters:,} parameters alone "
                    f"take about {least:,} bytes with quantize: {self.variants[budget.export].quantize} (sparsity "
                    "shrinks the gzipped file, not this one)."
                )

    def least_bytes(self, name: str, parameters: int) -> int | None:
        """Bytes below which a dense file cannot be.

        Args:
            name: of the file.
            parameters: of the model.

        Returns:
            None for a file of a different target, and for a sparse one, whose size depends on its zeros.
        """
        variant = self.variants.get(name)
        if variant is None or variant.sparse:
            return None
        return round(parameters * variant.mode.bytes_per_parameter * _SHARE_LEFT)

    def trial(self, model: Model, workload: TrialWorkload) -> tuple[TrialConversion, ...]:
        from tfopt.backend.export.spectra import with_float_spectra
        from tfopt.backend.export.trial import EXAMPLES, trial_conversions

        variants = with_float_spectra(self.variants, model)
        examples = workload.data.train.take(EXAMPLES, 0).inputs
        return trial_conversions(model, variants, workload.quantization, examples, trained=workload.trained)

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export import tflite
        from tfopt.backend.export.spectra import with_float_spectra

        return tflite.export(model, with_float_spectra(self.variants, model), context)
