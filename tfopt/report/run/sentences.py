"""Every sentence of a run's report: verdict, budgets, distillation, skipped layers, sizes, how to repeat the run.

Pure: functions accept a report and return strings, which the terminal, the HTML page and notebooks show as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.core.claims import simulation
from tfopt.core.claims.constant import constant_warnings
from tfopt.core.claims.decline import decline_warnings
from tfopt.report.run.agreement import agreement_is_share
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.cache import CacheRecord
    from tfopt.core.records.report import AuditRecord, BudgetRecord, ClaimRecord, DataRecord, ExportRecord, Report
    from tfopt.core.records.text import TextRecord


_CHAINS = 3
"""Chains of layers that a sentence names; report.json has all."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of a run in words, shown before everything else.

    Args:
        good: the run finished, every claim held, every budget was met.
        headline: one sentence.
        broken: one sentence per broken claim, then per budget that was not met.
        concerns: what breaks no claim and no budget, but should not be overlooked.
    """

    good: bool
    headline: str
    broken: tuple[str, ...]
    concerns: tuple[str, ...] = ()


def verdict(report: Report) -> Verdict:
    """The outcome of a run: one sentence, then one for each claim and budget that failed."""
    claims = [(export, claim) for export in report.exports for claim in export.claims]
    broken_claims = tuple(claim_sentence(export, claim) for export, claim in claims if not claim.passes)
    is_share = agreement_is_share(report)
    missed = tuple(budget_sentence(budget, agreement_is_share=is_share) for budget in report.budgets if not budget.met)
    good = report.run.state == "done" and report.held
    headline = _headline(report, len(claims), len(broken_claims), len(missed))
    declines, constant = decline_warnings(report), constant_warnings(report)
    if declines:
        headline = f"{headline.removesuffix('.')}, but the model became much worse."
    elif constant:
        headline = f"{headline.removesuffix('.')}, but the model is no better than one that always answers the same."
    concerns = _concerns(report) + declines + constant + accepted_sentences(report)
    return Verdict(good, headline, broken_claims + missed, concerns)


def accepted_sentences(report: Report) -> tuple[str, ...]:
    """Each broken claim that the recipe accepts, with the reason."""
    return tuple(
        f"{claim_sentence(export, claim)}. The recipe accepts that: {claim.accepted}"
        for export in report.exports
        for claim in export.claims
        if claim.accepted is not None
    )


def _concerns(report: Report) -> tuple[str, ...]:
    found = [simulation.concern(export, report.metric) for export in report.exports]
    return tuple(sentence for sentence in found if sentence is not None)


def warnings(report: Report) -> tuple[str, ...]:
    """The warnings of a run that its verdict does not say already."""
    said = verdict(report).concerns
    return tuple(warning for warning in report.warnings if warning not in said)


def simulation_sentences(report: Report) -> tuple[str, ...]:
    """For each integer file after a quantizing stage: how well it was simulated, and what it is without the stage."""
    found = [simulation.simulation_sentence(export, report.metric) for export in report.exports]
    return tuple(sentence for sentence in found if sentence is not None)


def making_sentences(report: Report) -> tuple[str, ...]:
    """How files were made that differ from others of their mode: without the quantizing stage, or calibrated in a way
    that the recipe chose; what is in a bundle; what else an export notes."""
    without: dict[str, list[str]] = {}
    for export in report.exports:
        if stage := export.details.get("without_stage"):
            without.setdefault(stage, []).append(export.name)
    found = [
        f"{', '.join(names)}: quantized after training, from the model before {stage} (ptq: true)."
        for stage, names in without.items()
    ]
    found += [
        f"{export.name}: calibrated with {formats.count(export.details['calibration'])} training examples, {words}."
        for export in report.exports
        if (words := export.details.get("calibrated_with"))
    ]
    scaled: dict[tuple[str, ...], list[str]] = {}
    for export in report.exports:
        if chains := export.details.get("rewritten"):
            scaled.setdefault(tuple(chains), []).append(export.name)
    found += [
        f"{', '.join(names)}: channels are scaled between layers, the float model computes the same: {_some(chains)}."
        for chains, names in scaled.items()
    ]
    found += [
        f"{export.name}: {', '.join(export.details['files'])}, with metadata, golden examples and code; the same in "
        f"{packed}."
        for export in report.exports
        if (packed := export.details.get("zip"))
    ]
    noted: dict[str, list[str]] = {}
    for export in report.exports:
        for note in export.details.get("notes", ()):
            noted.setdefault(note, []).append(export.name)
    found += [f"{', '.join(names)}: {note}." for note, names in noted.items()]
    return tuple(found)


def has_notes(report: Report) -> bool:
    """Whether a file was made or measured in a way of its own, which a sentence says."""
    return any(export.details.get("notes") for export in report.exports)


def _some(parts: tuple[str, ...]) -> str:
    more = f" and {len(parts) - _CHAINS} more" if len(parts) > _CHAINS else ""
    return ", ".join(parts[:_CHAINS]) + more


def _headline(report: Report, num_claims: int, num_broken: int, num_missed: int) -> str:
    if report.run.state == "failed":
        return f"The run failed: {report.run.error or 'no reason was recorded.'}"
    if report.run.state == "interrupted":
        return "The run was interrupted; start it again to resume from the last checkpoint."
    num_budgets = len(report.budgets)
    num_accepted = len(accepted_sentences(report))
    if not num_claims and not num_budgets:
        return "The run is done; its recipe makes no claim and sets no budget."
    parts = []
    if num_claims:
        parts.append(_tally(num_claims, num_broken, "claim", _held(num_accepted), "broken"))
    if num_budgets:
        parts.append(_tally(num_budgets, num_missed, "budget", "met", "not met"))
    unmade = [export.name for export in report.exports if export.error is not None and not export.bytes]
    first = f"{', '.join(unmade)} could not be exported, the other files are there; " if unmade else ""
    sentence = f"{first}{' and '.join(parts)}."
    if unmade:
        return sentence
    return sentence[:1].upper() + sentence[1:]


def _held(num_accepted: int) -> str:
    return f"held or accepted ({num_accepted})" if num_accepted else "held"


def _tally(total: int, num_bad: int, noun: str, good: str, bad: str) -> str:
    if num_bad:
        return f"{num_bad} of {total} {noun}{'s' if total > 1 else ''} {bad}"
    if total == 1:
        return f"the one {noun} {good}"
    return f"{'both' if total == 2 else f'all {total}'} {noun}s {good}"


def claim_sentence(export: ExportRecord, claim: ClaimRecord) -> str:
    """A broken claim in words, naming the file."""
    return f"{export.name} does not hold '{claim.claim}': {claim.found}"


def budget_sentence(budget: BudgetRecord, *, agreement_is_share: bool) -> str:
    """A budget, its limit and the measured value.

    Args:
        budget: from the report.
        agreement_is_share: whether `agreement` is a share of equal predictions.
    """
    measure = budget.name.rpartition(".")[2]
    limit = formats.limit(measure, budget.limit, agreement_is_share=agreement_is_share)
    if budget.value is None and measure == "phone_latency":
        how = "not measured on a phone yet, so not met (`tfopt bench RUN --adb` measures it)"
        return f"{budget.name} is {how}; the budget is at most {limit}."
    if budget.value is None:
        return f"{budget.name} could not be measured; the budget is {limit}."
    # A record does not contain the direction of its limit; value and verdict together imply it.
    at_least = budget.met == (budget.value > budget.limit)
    bound = "exactly" if budget.value == budget.limit else "at least" if at_least else "at most"
    value, limit_value = (
        formats.measure(measure, number, agreement_is_share=agreement_is_share)
        for number in (budget.value, budget.limit)
    )
    if value == limit_value and not budget.met:
        value, limit = f"{budget.value:.10g}", f"{budget.limit:.10g}"
    return f"{budget.name} is {value}; the budget is {bound} {limit}."


def examples_sentence(source: DataRecord) -> str:
    """The data set and the sizes of its splits."""
    counts = (("training", source.train), ("validation", source.validation), ("test", source.test))
    examples = f"{source.source}: {', '.join(f'{formats.count(number)} {name}' for name, number in counts)} examples"
    more = [tokens_sentence(source.text)] if source.text is not None else []
    if source.cache is not None:
        more.append(cache_sentence(source.cache))
    return "; ".join([examples, *more])


def cache_sentence(cache: CacheRecord) -> str:
    """Where the examples are, and which of them cannot be read."""
    where = f"cache: {cache.kind} ({formats.size(cache.bytes)}; {cache.reason})"
    if not cache.skipped:
        return where
    return f"{where}; {formats.count(cache.skipped)} that cannot be read left out: {'; '.join(cache.first_skipped)}"


def tokens_sentence(text: TextRecord) -> str:
    """How texts became token ids."""
    parts = [f"{formats.count(text.length)} tokens each, of {formats.count(text.vocabulary_size)} ({text.tokenizer})"]
    if text.cut:
        parts.append(f"{formats.percent(text.cut)} of the training texts are longer and were cut")
    if text.unknown:
        parts.append(f"{formats.percent(text.unknown)} of the tokens of the test split are unknown")
    return "; ".join(parts)


def distillation_sentences(report: Report) -> tuple[str, ...]:
    """Teacher, its metric, and the loss of each distilled stage; one sentence per stage."""
    sentences = []
    for stage in report.stages:
        teacher = stage.details.get("teacher")
        if teacher is None:
            continue
        value = teacher.get("measures", {}).get(report.metric)
        quality = "" if value is None else f" ({report.metric} {formats.measure(report.metric, value)})"
        sources = " and ".join(teacher.get("sources", ())) or "the moving average of its own weights"
        evaluated = f", evaluated {teacher['asked']}" if "asked" in teacher else ""
        loss = "layers only" if teacher["loss"] == "none" else teacher["loss"].replace("_", " ")
        sentences.append(f"{stage.name} was distilled from {sources}{quality}, by {loss}{evaluated}")
    return tuple(sentences)


def skip_sentences(report: Report) -> tuple[str, ...]:
    """Layers that a stage left unchanged, one sentence per stage and reason."""
    layers: dict[tuple[str, str], list[str]] = {}
    for stage in report.stages:
        for layer in stage.layers:
            if layer.skipped:
                layers.setdefault((stage.name, layer.skipped), []).append(layer.name)
    return tuple(f"{stage} left {', '.join(names)} unchanged: {reason}" for (stage, reason), names in layers.items())


def size_sentence(report: Report) -> str | None:
    """The effect of zeros and shared values on a file's size; None where the model has neither."""
    kinds = {stage.kind for stage in report.stages}
    causes = [cause for kind, cause in (("prune", "zeros"), ("cluster", "shared values")) if kind in kinds]
    if not causes or not report.exports:
        return None
    encoded = [
        export.name
        for export in report.exports
        if export.audit is not None and any(tensor.sparse_encoding for tensor in export.audit.tensors)
    ]
    return (
        f"{' and '.join(causes).capitalize()} do not make a file smaller, only its compressed form (gzip), "
        "which is what app stores ship"
        + (f". In {' and '.join(encoded)}, zeros are left out (sparse format)." if encoded else ".")
    )


def about_sizes(report: Report) -> tuple[str, ...]:
    """What should be known about the sizes of the files."""
    return tuple(sentence for sentence in (size_sentence(report), scales_sentence(report)) if sentence)


NOTABLE = 1.02
"""How many times larger a file must be than another one before a sentence says why."""


def scales_sentence(report: Report) -> str | None:
    """Why an integer file is larger than one of the same weights with float activations; None where none is."""
    audited = [(export, export.audit) for export in report.exports if export.audit is not None and export.bytes]
    for export, audit in audited:
        scales = sum(tensor.scales for tensor in audit.tensors if tensor.quantization == "per-channel")
        smaller = [
            other
            for other, of_other in audited
            if of_other.float_operators and _dtype(of_other) == _dtype(audit) and NOTABLE * other.bytes < export.bytes
        ]
        if smaller and scales and not audit.float_operators:
            return (
                f"{export.name} ({formats.size(export.bytes)}) is larger than {smaller[0].name} "
                f"({formats.size(smaller[0].bytes)}): besides the same 8-bit weights it holds {scales:,} scales, one "
                "for each channel of a kernel and of a bias, those of Dense layers included, and a zero point for each."
                " `dense_per_channel: false` gives the kernel of a Dense layer one."
            )
    return None


def _dtype(audit: AuditRecord) -> str:
    """The dtype of most weights."""
    sizes: dict[str, int] = {}
    for tensor in audit.tensors:
        if tensor.role == "weight":
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.bytes
    return max(sizes, key=lambda dtype: sizes[dtype], default="")


def how_to_repeat(report: Report) -> tuple[str, ...]:
    """Shell commands that reproduce the same numbers, in an environment that has tfopt."""
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
