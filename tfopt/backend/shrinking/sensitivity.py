"""How much the loss rises when one group is narrowed and all others stay: measured once per group and width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np

from tfopt.backend.shrinking.allocate import Losses, kept_units
from tfopt.backend.shrinking.choices import Choice
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.scores import Scores

_POINTS = 4
"""Widths of a group at which the loss is measured, besides all of it."""


def measured_widths(choice: Choice) -> tuple[int, ...]:
    """The widths of a group at which the loss is measured, ascending, evenly spread, without the full one."""
    narrower = choice.widths[:-1]
    if len(narrower) <= _POINTS:
        return narrower
    return tuple(narrower[round(index * (len(narrower) - 1) / (_POINTS - 1))] for index in range(_POINTS))


class Measured(TypedDict):
    """Loss of the whole model, and by group and width (as text)."""

    loss: float
    groups: dict[str, dict[str, float]]


def measure(
    choices: Sequence[Choice],
    scores: Scores,
    loss_of: Callable[[Kept], float],
    progress: Callable[[int, int], None],
) -> Measured:
    """Measures; the result is plain values, for `tfopt.backend.shrinking.measurements.remembered`.

    Args:
        choices: groups and their widths.
        scores: which units go first.
        loss_of: loss of the model with these units.
        progress: called with the number of evaluations done, and of all.
    """
    asked = [(choice, width) for choice in choices for width in measured_widths(choice)]
    full = loss_of({})
    found: dict[str, dict[str, float]] = {choice.name: {} for choice in choices}
    for done, (choice, width) in enumerate(asked):
        progress(done, len(asked))
        found[choice.name][str(width)] = loss_of(kept_units([choice], scores, {choice.name: width}))
    progress(len(asked), len(asked))
    return {"loss": full, "groups": found}


def losses_of(choices: Sequence[Choice], measured: Measured) -> Losses:
    """Rise of the loss for every width of every group: never negative, never falling as a group is narrowed.

    Between measured widths it is a straight line.
    """
    found: dict[str, dict[int, float]] = {}
    for choice in choices:
        points = sorted((int(width), loss) for width, loss in measured["groups"][choice.name].items())
        widths = [width for width, _ in points] + [choice.group.units]
        rises = [max(loss - measured["loss"], 0.0) for _, loss in points] + [0.0]
        falling = np.maximum.accumulate(rises[::-1])[::-1]
        found[choice.name] = {
            width: float(value)
            for width, value in zip(choice.widths, np.interp(choice.widths, widths, falling), strict=True)
        }
    return found
