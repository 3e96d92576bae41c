"""Whether a pruning stage has steps enough to learn to do without the weights that it loses.

A rule of thumb, not a law. 18 steps to 70 % ruin any model (measured: accuracy 14 % with tfopt, 11.5 % with tfmot
alone); 210 steps to 80 % cost the digits model of the first recipe nothing. Between them, the steps that are asked for
here grow with the weights that are lost per weight that stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tfopt.core.config.schedules.base import ResolvedSchedule
from tfopt.core.config.schedules.metric import Metric
from tfopt.core.config.schedules.threshold import Threshold
from tfopt.core.language.wording import counted

STEPS_PER_LOST_WEIGHT = 30
"""Steps for each weight that becomes zero, per weight that stays: 30 to 50 %, 70 to 70 %, 120 to 80 %, 270 to 90 %."""
SHARE_AT_THE_END = 1 / 6
"""Of those steps, how many must follow the last weight that becomes zero."""
LEAST_SPARSITY = 0.3
"""Below it, hardly anything is lost."""


def recovery_warnings(schedules: Mapping[str, ResolvedSchedule]) -> list[str]:
    """A warning for each schedule of a stage that leaves too few steps, with the figures and what to do.

    Args:
        schedules: by layer name. Those that follow a metric or a threshold are left out: how many weights they take is
            found in training.
    """
    return list(dict.fromkeys(_warnings(schedules)))


def _warnings(schedules: Mapping[str, ResolvedSchedule]) -> Iterator[str]:
    for resolved in schedules.values():
        if isinstance(resolved.schedule, Metric | Threshold) or not resolved.mask_updates:
            continue
        final = max(sparsity for _, sparsity in resolved.mask_updates)
        if final < LEAST_SPARSITY:
            continue
        first = next(step for step, sparsity in resolved.mask_updates if sparsity > 0)
        last = next(step for step, sparsity in resolved.mask_updates if sparsity == final)
        needed = STEPS_PER_LOST_WEIGHT * final / (1 - final)
        all_steps, at_the_end = resolved.total_steps - first, resolved.total_steps - last
        if all_steps < needed:
            steps, advice = f"{counted(all_steps, 'step')} in all", "Give the stage more epochs"
        elif at_the_end < needed * SHARE_AT_THE_END:
            needed *= SHARE_AT_THE_END
            steps = f"{counted(at_the_end, 'step')} after sparsity is complete"
            advice = "Let schedule.end come earlier"
        else:
            continue
        yield (
            f"{final:.0%} sparsity with {steps}: the model can hardly recover, and it will be worse. As a rule "
            f"of thumb it needs {_rounded(needed)} steps or more. {advice}, a smaller batch_size, or a lower final "
            "sparsity."
        )


def _rounded(steps: float) -> int:
    """Two digits are more than a rule of thumb can promise."""
    return round(steps / 10) * 10 if steps >= 100 else round(steps)
