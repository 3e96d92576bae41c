"""Every sentence of a comparison: which variant is best, and which differences are larger than the seeds' noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tfopt.report.comparison.data import families
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.verdicts import Rival, Verdict

_FEW_SEEDS = 3
"""Up to this number of seeds, a test shows large differences only."""


def verdict_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Which variant is best and which differ by more than noise, one paragraph per sparsity."""
    names = families(comparison)
    return tuple(_paragraph(verdict, comparison, names) for verdict in comparison.verdicts)


def _paragraph(verdict: Verdict, comparison: Comparison, names: Mapping[str, str]) -> str:
    metric = comparison.metric
    place = "" if verdict.sparsity is None else f"At {formats.percent(verdict.sparsity, 0)} sparsity, "
    extreme = "highest" if comparison.higher_is_better else "lowest"
    value = formats.measure(metric, verdict.metric)
    sentences = [f"{place}{names[verdict.best]} has the {extreme} {formats.spaced(metric)} ({value})."]
    untested = [rival for rival in verdict.rivals if rival.difference is None or rival.difference.test is None]
    tested = [rival for rival in verdict.rivals if rival not in untested]
    for wanted, judgement in ((True, "worse by more than"), (False, "not shown to differ by more than")):
        found = [
            f"{names[rival.name]} ({_signed(rival.difference.mean, metric)}, p {_p(rival.p_value)})"
            for rival in tested
            if rival.beyond_noise is wanted and rival.difference is not None
        ]
        if found:
            sentences.append(f"{_joined(found)} {'is' if len(found) == 1 else 'are'} {judgement} the seeds' noise.")
    if untested:
        others = _joined([names[rival.name] for rival in untested])
        verb = "differs" if len(untested) == 1 else "differ"
        sentences.append(f"Whether {others} {verb} by more than noise is not known: {_why(untested)}.")
    if tested:
        sentences.append(_how(tested, len(verdict.rivals)))
    return " ".join(sentences)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _why(rivals: Sequence[Rival]) -> str:
    differences = [rival.difference for rival in rivals]
    if any(difference is None for difference in differences):
        return "they share no seed with it"
    if any(difference is not None and difference.num_pairs > 1 for difference in differences):
        return "the difference is the same for every seed, so the seeds show no noise to hold it against"
    return "one seed shows no noise; add seeds (--seeds 3)"


def _how(tested: Sequence[Rival], num_rivals: int) -> str:
    first = next(rival.difference for rival in tested if rival.difference is not None)
    pairs = sorted({rival.difference.num_pairs for rival in tested if rival.difference is not None})
    seeds = str(pairs[0]) if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}"
    corrected = f", corrected for {num_rivals} comparisons (Holm)" if num_rivals > 1 else ""
    power = " So few seeds can only show large differences." if pairs[-1] <= _FEW_SEEDS else ""
    return f"Two-sided {first.test} over {seeds} common seeds{corrected}.{power}"


def _signed(value: float, metric: str) -> str:
    if formats.is_fraction(metric):
        return f"{100 * value:+.2f} points"
    return f"{value:+.3g}"


def _p(value: float) -> str:
    return f"= {value:.2f}" if value >= 0.095 else f"= {value:.2g}" if value >= 0.0001 else "< 0.0001"
