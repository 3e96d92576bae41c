"""What the shrink stage can remove from a model, as text for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.report.shared.terminal import heading, indented, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfopt.core.records.shrink_groups import GroupPreflight

_SHOWN_LAYERS = 4


def groups_text(groups: Sequence[GroupPreflight], verbose: bool = False) -> list[RenderableType]:
    """A table of the groups that can be narrowed, and below it those that cannot, with the reason.

    Args:
        groups: of the model.
        verbose: all layers of each group instead of the first few.
    """
    if not groups:
        return []
    free = [group for group in groups if group.fixed is None]
    parts: list[RenderableType] = [heading("shrink: groups of units that can be removed")]
    if free:
        rows = [(one.name, one.kind, str(one.units), _layers(one.layers, verbose)) for one in free]
        parts.append(table(("", "kind", "units", "layers with weights of the units"), rows, left=(0, 1, 3)))
    else:
        parts.append(plain_text("none"))
    reasons: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        if group.fixed is not None:
            reasons[group.fixed].append(group.name)
    return [*parts, *(indented(f"not changed: {', '.join(names)}: {why}", "dim") for why, names in reasons.items())]


def _layers(names: Sequence[str], verbose: bool) -> str:
    if verbose or len(names) <= _SHOWN_LAYERS:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN_LAYERS])} and {counted(len(names) - _SHOWN_LAYERS, 'other')}"
