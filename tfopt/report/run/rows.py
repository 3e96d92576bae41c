"""The rows of every table of a run: what the terminal, the HTML page and notebooks show.

Pure: functions accept a report and return frozen dataclasses; `formats` spells the numbers, `sentences` the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.report.run.agreement import agreement_is_share
from tfopt.report.run.sentences import budget_sentence
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.report import BudgetRecord, ClaimRecord, ExportRecord, Report


@dataclass(frozen=True)
class BudgetRow:
    """One budget with its verdict.

    Args:
        name: the recipe's key, e.g. `int8.bytes`.
        export: the file it is about.
        measure: what is limited.
        limit: in bytes, milliseconds or the metric's own unit.
        value: what was measured; None where the file could not be measured.
        met: whether the value is within the limit.
        sentence: the verdict in words.
        limit_text: the limit as a person would write it.
        value_text: the value in its unit.
    """

    name: str
    export: str
    measure: str
    limit: float
    value: float | None
    met: bool
    sentence: str
    limit_text: str
    value_text: str


@dataclass(frozen=True)
class ExportRow:
    """One exported file.

    Args:
        name: as in the recipe.
        format: tflite, saved_model, keras or bundle.
        path: relative to the run folder.
        bytes: size of the file or of all files of the folder.
        gzip_bytes: the same, compressed: what an app store ships.
        zstd_bytes: the same with zstd; None in older reports.
        entropy_bytes: entropy bound of the weights; None where it is not known.
        sparse_bytes: weights in the sparse format; None where there are none.
        metric: the recipe's first metric, from running the file on the test split.
        drop: how much worse than the first stage that trains, in the metric's unit; negative is better.
        agreement: share of predictions equal to those of the Keras model (regression: largest absolute difference).
        relative_error: error over the standard deviation of the Keras model's outputs; None for classification.
        latency_ms: median of one example, in milliseconds.
        latency_ms_p10: tenth percentile.
        latency_ms_p90: ninetieth percentile.
        num_held: claims that held.
        num_claims: claims made.
        broken: the claims that did not hold, without those that the recipe accepts.
        num_accepted: claims that did not hold, and that the recipe accepts.
        budgets: budgets about this file.
    """

    name: str
    format: str
    path: str
    bytes: int
    gzip_bytes: int
    zstd_bytes: int | None
    entropy_bytes: int | None
    sparse_bytes: int | None
    metric: float | None
    drop: float | None
    agreement: float | None
    relative_error: float | None
    latency_ms: float | None
    latency_ms_p10: float | None
    latency_ms_p90: float | None
    num_held: int
    num_claims: int
    broken: tuple[ClaimRecord, ...]
    num_accepted: int
    budgets: tuple[BudgetRow, ...]

    @property
    def held(self) -> bool:
        """Whether all claims held or are accepted, and all budgets were met."""
        return not self.broken and all(budget.met for budget in self.budgets)


@dataclass(frozen=True)
class StageRow:
    """One stage: its duration and the metrics after it.

    Args:
        name: stage name.
        kind: stage kind.
        cached: taken from the store.
        seconds: how long it took (when it was made, if cached).
        num_epochs: epochs really trained.
        parameters: number of weights.
        metric: the recipe's first metric on the test split.
        loss: on the test split.
        sparsity: fraction of zeros in the kernels.
    """

    name: str
    kind: str
    cached: bool
    seconds: float
    num_epochs: int
    parameters: int
    metric: float | None
    loss: float | None
    sparsity: float | None


@dataclass(frozen=True)
class LayerRow:
    """One layer: its sparsity after each stage and in each file.

    Args:
        name: Keras name.
        type: Keras layer type.
        parameters: number of weights.
        after_stages: sparsity of its kernel after each stage; None where the stage did not have the layer.
        in_files: sparsity of its weights in each audited file; None where the file names no such layer.
        unique: distinct kernel values after the last stage.
    """

    name: str
    type: str
    parameters: int
    after_stages: tuple[float | None, ...]
    in_files: tuple[float | None, ...]
    unique: int


@dataclass(frozen=True)
class LayerTable:
    """Sparsity of every layer by stage and by file; the rows' tuples follow `stages` and `files`."""

    stages: tuple[str, ...]
    files: tuple[str, ...]
    rows: tuple[LayerRow, ...]


def budget_rows(report: Report) -> tuple[BudgetRow, ...]:
    """All budgets, those that were not met first."""
    is_share = agreement_is_share(report)
    rows = [_budget_row(budget, is_share) for budget in report.budgets]
    return tuple(sorted(rows, key=lambda row: row.met))


def _budget_row(budget: BudgetRecord, is_share: bool) -> BudgetRow:
    export, _, measure = budget.name.rpartition(".")
    return BudgetRow(
        budget.name,
        export,
        measure,
        budget.limit,
        budget.value,
        budget.met,
        budget_sentence(budget, agreement_is_share=is_share),
        formats.limit(measure, budget.limit, agreement_is_share=is_share),
        formats.measure(measure, budget.value, agreement_is_share=is_share),
    )


def export_rows(report: Report) -> tuple[ExportRow, ...]:
    """One row per file, in the recipe's order."""
    budgets = budget_rows(report)
    return tuple(_export_row(export, report.metric, budgets) for export in report.exports)


def _export_row(export: ExportRecord, metric: str, budgets: Iterable[BudgetRow]) -> ExportRow:
    measures = export.measures
    return ExportRow(
        name=export.name,
        format=export.format,
        path=export.path,
        bytes=export.bytes,
        gzip_bytes=export.gzip_bytes,
        zstd_bytes=export.zstd_bytes,
        entropy_bytes=export.entropy_bytes,
        sparse_bytes=export.sparse_bytes,
        metric=measures.get(metric),
        drop=measures.get(f"{metric}_drop"),
        agreement=_of_main(measures, "agreement", metric),
        relative_error=_of_main(measures, "relative_error", metric),
        latency_ms=measures.get("latency_ms"),
        latency_ms_p10=measures.get("latency_ms_p10"),
        latency_ms_p90=measures.get("latency_ms_p90"),
        num_held=sum(claim.held for claim in export.claims),
        num_claims=len(export.claims),
        broken=tuple(claim for claim in export.claims if not claim.passes),
        num_accepted=sum(claim.passes and not claim.held for claim in export.claims),
        budgets=tuple(budget for budget in budgets if budget.export == export.name),
    )


def _of_main(measures: Mapping[str, float], name: str, metric: str) -> float | None:
    """A comparison with the model; of several outputs, that of the output of the main metric."""
    if name in measures:
        return measures[name]
    own = [key for key in measures if key.endswith(f"_{name}") and metric.startswith(key.removesuffix(name))]
    return measures[max(own, key=len)] if own else None


@dataclass(frozen=True)
class Likeness:
    """How a report says how equal the outputs of files and model are.

    Args:
        heading: of the column.
        meaning: what the numbers are.
        of_regression: whether outputs are numbers, not choices among classes.
        is_share: whether `agreement` is a share of equal predictions.
    """

    heading: str
    meaning: str
    of_regression: bool
    is_share: bool = True

    def text(self, row: ExportRow) -> str:
        """The cell of a file."""
        if self.of_regression:
            return formats.measure("relative_error", row.relative_error)
        return formats.measure("agreement", row.agreement, agreement_is_share=self.is_share)


def likeness(report: Report) -> Likeness:
    """The column that compares outputs; a report of before 0.2 has the largest difference only."""
    if any(_of_main(export.measures, "relative_error", report.metric) is not None for export in report.exports):
        meaning = "error over the standard deviation of the outputs of"
        return Likeness("relative error", meaning, of_regression=True)
    if agreement_is_share(report):
        return Likeness("agreement", "equal predictions with", of_regression=False)
    return Likeness("difference", "largest difference to", of_regression=False, is_share=False)


def stage_rows(report: Report) -> tuple[StageRow, ...]:
    """One row per stage, in order."""
    return tuple(
        StageRow(
            name=stage.name,
            kind=stage.kind,
            cached=stage.cached,
            seconds=stage.seconds,
            num_epochs=len(stage.history),
            parameters=stage.parameters,
            metric=stage.measures.get(report.metric),
            loss=stage.measures.get("loss"),
            sparsity=stage.measures.get("sparsity"),
        )
        for stage in report.stages
    )


def layer_table(report: Report) -> LayerTable:
    """Every layer with weights: its sparsity after each stage and in each audited file."""
    stages = [stage for stage in report.stages if stage.layers]
    after = [{layer.name: layer for layer in stage.layers} for stage in stages]
    files = [(export.name, _sparsity_by_layer(export)) for export in report.exports if export.audit]
    files = [(name, layers) for name, layers in files if layers]
    names = list(dict.fromkeys(name for layers in reversed(after) for name in layers))
    rows = []
    for name in names:
        seen = [layers.get(name) for layers in after]
        last = next(layer for layer in reversed(seen) if layer)
        rows.append(
            LayerRow(
                name=name,
                type=last.shown_type,
                parameters=last.parameters,
                after_stages=tuple(layer.sparsity if layer else None for layer in seen),
                in_files=tuple(layers.get(name) for _, layers in files),
                unique=last.unique,
            )
        )
    return LayerTable(tuple(stage.name for stage in stages), tuple(name for name, _ in files), tuple(rows))


def _sparsity_by_layer(export: ExportRecord) -> dict[str, float]:
    """Sparsity of the weights of each layer, over all its weight tensors by their number of values."""
    zeros: dict[str, float] = {}
    values: dict[str, int] = {}
    for tensor in export.audit.tensors if export.audit else ():
        if tensor.layer and tensor.role == "weight":
            num_values = 1
            for length in tensor.shape:
                num_values *= length
            zeros[tensor.layer] = zeros.get(tensor.layer, 0.0) + tensor.sparsity * num_values
            values[tensor.layer] = values.get(tensor.layer, 0) + num_values
    return {layer: zeros[layer] / values[layer] for layer in zeros if values[layer]}


def latency_threads(report: Report) -> int | None:
    """How many threads a file had while it was timed; None where none was."""
    timed = (record.details.get("latency") for record in report.exports)
    return next((int(found["threads"]) for found in timed if isinstance(found, dict)), None)
