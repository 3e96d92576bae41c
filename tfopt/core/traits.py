"""Which stage may follow which: the order rules that come from traits."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.stage import Stage, TrainingStage, Trait, next_traits

_WHY = {
    "sparse": "fine-tuning moves the zeros away from zero (measured: sparsity 0.50 -> 0.12)",
    "clustered": "fine-tuning moves the shared values apart (measured: 8 unique values -> 94)",
}
_HOW = {
    "sparse": "put {stage} before the pruning, or give prune more epochs: it fine-tunes while the zeros stay",
    "clustered": "put {stage} before the clustering, or give cluster more epochs",
}


def order_problems(stages: Sequence[Stage]) -> list[tuple[int, str]]:
    """Every stage that may not stand where it stands.

    Returns:
        Pairs of (position, sentence that says why and what to do).
    """
    found: list[tuple[int, str]] = []
    traits: frozenset[Trait] = frozenset()
    last: Stage | None = None
    for index, stage in enumerate(stages):
        if last is not None and isinstance(stage, TrainingStage):
            reason = f"{last.kind} must be the last trainable stage"
            found.append((index, f"{stage.name} cannot follow {last.name}: {reason}."))
        for trait in sorted(traits - stage.keeps - stage.adds):
            if trait in _WHY:
                made_by = next(s.name for s in reversed(stages[:index]) if trait in s.adds)
                found.append(
                    (
                        index,
                        f"{stage.name} would destroy what {made_by} did: {_WHY[trait]}; "
                        f"{_HOW[trait].format(stage=stage.name)}.",
                    )
                )
        traits = next_traits(stage, traits)
        last = stage if stage.last else last
    return found
