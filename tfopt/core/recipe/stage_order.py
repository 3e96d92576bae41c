"""Which stage may follow which: the order rules that come from traits."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, TrainingStage, next_traits
from tfopt.core.language.mistakes import Mistake

_WHY = {
    "sparse": "fine-tuning moves the zeros away from zero (measured: sparsity 0.50 -> 0.12)",
    "clustered": "fine-tuning moves the shared values apart (measured: 8 unique values -> 94)",
}
_HOW = {
    "sparse": "put {stage} before the pruning, or give prune more epochs: it fine-tunes while the zeros stay",
    "clustered": "put {stage} before the clustering, or give cluster more epochs",
}
_CODES = {"sparse": "sparsity_lost", "clustered": "clusters_lost"}


def order_problems(stages: Sequence[tuple[str, type[Stage]]]) -> list[tuple[int, Mistake]]:
    """Every stage in a position where it is not allowed.

    Args:
        stages: name and class of each stage, in order; a stage whose keys have mistakes is judged too.

    Returns:
        Pairs of (position, mistake, whose message is a sentence that says why and what to do).
    """
    found: list[tuple[int, Mistake]] = []
    traits: frozenset[Trait] = frozenset()
    last = ""
    for index, (name, stage) in enumerate(stages):
        if last and issubclass(stage, TrainingStage):
            reason = f"{last} must be the last trainable stage"
            found.append((index, Mistake((), f"{name} cannot follow {last}: {reason}.", code="stage_order")))
        for trait in sorted(traits - stage.keeps - stage.adds):
            if trait in _WHY:
                made_by = next(earlier for earlier, other in reversed(stages[:index]) if trait in other.adds)
                remedy = _HOW[trait].format(stage=name)
                message = f"{name} would destroy what {made_by} did: {_WHY[trait]}; {remedy}."
                found.append((index, Mistake((), message, code=_CODES[trait])))
        traits = next_traits(stage, traits)
        last = name if stage.last else last
    return found
