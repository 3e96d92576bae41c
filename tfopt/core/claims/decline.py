"""Whether a model was ruined although no claim and no budget says so. Pure.

A budget on the metric of a file, or on its drop, says how much may be lost; there, nothing is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tfopt.core.config.quantization_modes import BELOW_8_BITS
from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.language.wording import counted
from tfopt.core.records.report import ExportRecord, Report, StageRecord

POINTS = 0.03
"""How far a score between 0 and 1 may fall."""
RELATIVE = 0.2
"""How much larger an error may become, relative to what it was."""

_ADVICE = {
    "prune": "more epochs, a lower final sparsity, a smaller learning rate, or a teacher",
    "cluster": "more clusters, more epochs, or a teacher",
    "qat": "more epochs, a smaller learning rate, or layers that stay float",
    "distill": "more epochs, or another teacher",
    "train": "a smaller learning rate, or leave the stage out",
}


def decline_warnings(report: Report) -> tuple[str, ...]:
    """Sentences about a metric that became much worse, with the figures and what to do.

    Args:
        report: of a finished run.
    """
    return tuple(_warnings(report)) if report.run.state == "done" else ()


def _warnings(report: Report) -> Iterator[str]:
    metric = report.metric
    stages = [stage for stage in report.stages if metric in stage.measures]
    files = [export for export in report.exports if metric in export.measures and not _has_budget(report, export)]
    if not stages or (report.exports and not files):
        return
    best = _best(stages, metric)
    last = stages[-1]
    budget = f"; a budget ({files[-1].name}.{metric}_drop) makes such a run fail" if files else ""
    if is_worse(metric, best.measures[metric], last.measures[metric]):
        culprit = _largest_step_down(stages[stages.index(best) :], metric)
        yield (
            f"{metric} was {_value(metric, best.measures[metric])} after {best.name} and is "
            f"{_value(metric, last.measures[metric])} after {last.name}: most was lost in {culprit.name}"
            f"{_circumstances(culprit)}. Try {_ADVICE.get(culprit.kind, 'a smaller learning rate, or more epochs')}"
            f"{budget}."
        )
    for export in files:
        source = _source(stages, export)
        if source is not None and is_worse(metric, source.measures[metric], export.measures[metric]):
            advice = "more calibration examples, or quantize: dynamic or float16"
            if _has_small_weights(export):
                advice = (
                    "rules (layers) that keep the outer layers in 8 bits, or, with float activations, algorithm: octav "
                    "or gptq"
                )
            elif not any(map(_quantizes, report.stages)):
                advice = f"a qat stage, {advice}"
            yield (
                f"{export.name}: {metric} is {_value(metric, export.measures[metric])}, that of the model it was made "
                f"from {_value(metric, source.measures[metric])}. Try {advice}; a budget ({export.name}.{metric}_drop) "
                "makes such a run fail."
            )


def _source(stages: Sequence[StageRecord], export: ExportRecord) -> StageRecord | None:
    """The stage whose model a file was made from: the last, or with `ptq: true` the one before the quantizing stage;
    None where that was no stage."""
    without = export.details.get("without_stage")
    names = [stage.name for stage in stages]
    if without not in names:
        return stages[-1]
    place = names.index(without)
    return stages[place - 1] if place else None


def is_worse(metric: str, before: float, after: float) -> bool:
    """Whether a metric became worse by more than noise."""
    if higher_is_better(metric):
        return before - after > POINTS
    return after - before > RELATIVE * abs(before)


def _quantizes(stage: StageRecord) -> bool:
    """Whether a stage is qat, or one of a different package that reports which layers stay float, as qat does."""
    return stage.kind == "qat" or "float_layers" in stage.details


def _has_small_weights(export: ExportRecord) -> bool:
    """Whether a file has weights below 8 bits, which no stage trains for."""
    tensors = export.audit.tensors if export.audit is not None else ()
    return any(tensor.dtype in BELOW_8_BITS for tensor in tensors)


def _has_budget(report: Report, export: ExportRecord) -> bool:
    names = {f"{export.name}.{report.metric}", f"{export.name}.{report.metric}_drop"}
    return any(budget.name in names for budget in report.budgets)


def _best(stages: Sequence[StageRecord], metric: str) -> StageRecord:
    sign = 1 if higher_is_better(metric) else -1
    return max(stages, key=lambda stage: sign * stage.measures[metric])


def _largest_step_down(stages: Sequence[StageRecord], metric: str) -> StageRecord:
    """The stage that lost most against the one before it."""
    sign = 1 if higher_is_better(metric) else -1
    return max(pairwise(stages), key=lambda pair: sign * (pair[0].measures[metric] - pair[1].measures[metric]))[1]


def _circumstances(stage: StageRecord) -> str:
    """What may explain it: few steps, many zeros."""
    steps = stage.history[-1].get("step") if stage.history else None
    zeros = stage.measures.get("sparsity") or 0.0
    parts = []
    if steps:
        parts.append(f"{counted(steps, 'step')}")
    if zeros >= POINTS and stage.kind == "prune":
        parts.append(f"{zeros:.0%} sparsity")
    return f" ({', '.join(parts)})" if parts else ""


def _value(metric: str, value: float) -> str:
    return f"{value:.1%}" if higher_is_better(metric) and 0 <= value <= 1 else f"{value:.4g}"
