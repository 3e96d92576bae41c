"""The plain values behind every table of a run: what text, HTML and notebooks draw.

Pure: takes records, returns frozen dataclasses, spells nothing but sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """

    name: str
    export: str
    measure: str
    limit: float
    value: float | None
    met: bool
    sentence: str


@dataclass(frozen=True)
class ExportRow:
    """One exported file.

    Args:
        name: as in the recipe.
        format: tflite, saved_model or keras.
        path: relative to the run folder.
        bytes: size of the file or of all files of the folder.
        gzip_bytes: the same, compressed: what an app store ships.
        metric: the recipe's first metric, from running the file on the test split.
        drop: how much worse than the first dense stage, in the metric's unit; negative is better.
        agreement: share of equal answers with the Keras model (regression: largest absolute difference).
        latency_ms: median of one example, in milliseconds.
        latency_ms_p10: tenth percentile.
        latency_ms_p90: ninetieth percentile.
        num_held: claims that held.
        num_claims: claims made.
        broken: the claims that did not hold.
        budgets: budgets about this file.
    """

    name: str
    format: str
    path: str
    bytes: int
    gzip_bytes: int
    metric: float | None
    drop: float | None
    agreement: float | None
    latency_ms: float | None
    latency_ms_p10: float | None
    latency_ms_p90: float | None
    num_held: int
    num_claims: int
    broken: tuple[ClaimRecord, ...]
    budgets: tuple[BudgetRow, ...]

    @property
    def held(self) -> bool:
        """Whether all claims held and all budgets were met."""
        return self.num_held == self.num_claims and all(budget.met for budget in self.budgets)


@dataclass(frozen=True)
class StageRow:
    """One stage: what it cost and what it left.

    Args:
        name: stage name.
        kind: stage kind.
        cached: taken from the store.
        seconds: how long it took (when it was made, if cached).
        num_epochs: epochs really trained.
        parameters: number of weights.
        metric: the recipe's first metric on the test split.
        loss: on the test split.
        sparsity: share of zeros in the kernels.
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
    """One layer on its way through the stages and into the files.

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


@dataclass(frozen=True)
class Verdict:
    """What to say first.

    Args:
        good: the run finished, every claim held, every budget was met.
        headline: one sentence.
        broken: one sentence per broken claim, then per budget that was not met.
    """

    good: bool
    headline: str
    broken: tuple[str, ...]


def verdict(report: Report) -> Verdict:
    """The run in one sentence, and everything that did not hold in words."""
    claims = [(export, claim) for export in report.exports for claim in export.claims]
    broken_claims = tuple(claim_sentence(export, claim) for export, claim in claims if not claim.held)
    missed = tuple(row.sentence for row in budget_rows(report) if not row.met)
    good = report.run.state == "done" and report.held
    return Verdict(good, _headline(report, len(claims), len(broken_claims), len(missed)), broken_claims + missed)


def _headline(report: Report, num_claims: int, num_broken: int, num_missed: int) -> str:
    if report.run.state == "failed":
        return f"The run failed: {report.run.error or 'no reason was recorded.'}"
    if report.run.state == "interrupted":
        return "The run was interrupted; start it again to go on from the last finished stage."
    num_budgets = len(report.budgets)
    if not num_claims and not num_budgets:
        return "The run is done; its recipe makes no claim and sets no budget."
    parts = []
    if num_claims:
        parts.append(_tally(num_claims, num_broken, "claim", "held", "broken"))
    if num_budgets:
        parts.append(_tally(num_budgets, num_missed, "budget", "met", "not met"))
    sentence = f"{' and '.join(parts)}."
    return sentence[:1].upper() + sentence[1:]


def _tally(total: int, num_bad: int, noun: str, good: str, bad: str) -> str:
    if num_bad:
        return f"{num_bad} of {total} {noun}{'s' if total > 1 else ''} {bad}"
    if total == 1:
        return f"the one {noun} {good}"
    return f"{'both' if total == 2 else f'all {total}'} {noun}s {good}"


def claim_sentence(export: ExportRecord, claim: ClaimRecord) -> str:
    """A broken claim in words, naming the file."""
    return f"{export.name} does not hold '{claim.claim}': {claim.found}"


def budget_rows(report: Report) -> tuple[BudgetRow, ...]:
    """All budgets, those that were not met first."""
    rows = [_budget_row(budget, report.metric) for budget in report.budgets]
    return tuple(sorted(rows, key=lambda row: row.met))


def _budget_row(budget: BudgetRecord, metric: str) -> BudgetRow:
    export, _, measure = budget.name.rpartition(".")
    limit = formats.limit(measure, budget.limit, metric)
    if budget.value is None:
        sentence = f"{budget.name} could not be measured; the budget is {limit}."
    else:
        # A record does not say in which direction its limit lies, but value and verdict together do.
        at_least = budget.met == (budget.value > budget.limit)
        bound = "exactly" if budget.value == budget.limit else "at least" if at_least else "at most"
        value = formats.measure(measure, budget.value, metric)
        if value == formats.measure(measure, budget.limit, metric) and not budget.met:
            value, limit = f"{budget.value:.10g}", f"{budget.limit:.10g}"
        sentence = f"{budget.name} is {value}; the budget is {bound} {limit}."
    return BudgetRow(budget.name, export, measure, budget.limit, budget.value, budget.met, sentence)


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
        metric=measures.get(metric),
        drop=measures.get(f"{metric}_drop"),
        agreement=measures.get("agreement"),
        latency_ms=measures.get("latency_ms"),
        latency_ms_p10=measures.get("latency_ms_p10"),
        latency_ms_p90=measures.get("latency_ms_p90"),
        num_held=sum(claim.held for claim in export.claims),
        num_claims=len(export.claims),
        broken=tuple(claim for claim in export.claims if not claim.held),
        budgets=tuple(budget for budget in budgets if budget.export == export.name),
    )


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


def lesson_sentences(report: Report) -> tuple[str, ...]:
    """Who taught in which stage, what the teacher is worth, and what was compared; one sentence per taught stage."""
    found = []
    for stage in report.stages:
        distiller = stage.details.get("teacher")
        if distiller is None:
            continue
        value = distiller.get("measures", {}).get(report.metric)
        worth = "" if value is None else f" ({report.metric} {formats.measure(report.metric, value, report.metric)})"
        who = " and ".join(distiller.get("sources", ())) or "the moving average of its own weights"
        asked = f", asked {distiller['asked']}" if "asked" in distiller else ""
        by = "layers only" if distiller["loss"] == "none" else distiller["loss"].replace("_", " ")
        found.append(f"{stage.name} was taught by {who}{worth}, by {by}{asked}")
    return tuple(found)


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
                type=last.type,
                parameters=last.parameters,
                after_stages=tuple(layer.sparsity if layer else None for layer in seen),
                in_files=tuple(layers.get(name) for _, layers in files),
                unique=last.unique,
            )
        )
    return LayerTable(tuple(stage.name for stage in stages), tuple(name for name, _ in files), tuple(rows))


def skip_sentences(report: Report) -> tuple[str, ...]:
    """Which layers a stage left alone, one sentence per stage and reason."""
    layers: dict[tuple[str, str], list[str]] = {}
    for stage in report.stages:
        for layer in stage.layers:
            if layer.skipped:
                layers.setdefault((stage.name, layer.skipped), []).append(layer.name)
    return tuple(f"{stage} left {', '.join(names)} alone: {reason}" for (stage, reason), names in layers.items())


def size_sentence(report: Report) -> str | None:
    """What zeros and shared values do to the size of a file; None where the model has neither."""
    kinds = {stage.kind for stage in report.stages}
    causes = [cause for kind, cause in (("prune", "zeros"), ("cluster", "shared values")) if kind in kinds]
    if not causes or not report.exports:
        return None
    return (
        f"{' and '.join(causes).capitalize()} do not make a file smaller, only its compressed form (gzip), "
        "which is what app stores ship."
    )


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


def how_to_repeat(report: Report) -> tuple[str, ...]:
    """Shell commands that give the same numbers again, in an environment that has tfopt."""
    packages = [
        f"{package}=={version}"
        for package, version in (
            ("tensorflow", report.environment.tensorflow),
            ("tf-keras", report.environment.tf_keras),
            ("keras", report.environment.keras),
            ("tensorflow-model-optimization", report.environment.tfmot),
            ("ai-edge-litert", report.environment.litert),
        )
        if version
    ]
    run = f"tfopt run saved_models/{report.run.recipe}/{report.run.id}/recipe.yaml --fresh"
    return (f"pip install {' '.join(packages)}", run) if packages else (run,)


def latency_threads(report: Report) -> int | None:
    """How many threads a file had while it was timed; None where none was."""
    timed = (record.details.get("latency") for record in report.exports)
    return next((int(found["threads"]) for found in timed if isinstance(found, dict)), None)
