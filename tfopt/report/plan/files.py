"""What the converter makes of a model before it is trained, as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tfopt.core.contracts.trial import looked_at
from tfopt.core.language.wording import counted
from tfopt.report.shared.terminal import heading, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from tfopt.core.contracts.trial import TrialConversion


def files_text(files: Sequence[TrialConversion]) -> list[RenderableType]:
    """One row per file: its operators, which of them an integer file computes in float, or why it cannot be made."""
    if not files:
        return []
    rows = [(plain_text(file.name, "bold"), _contents(file)) for file in files]
    shown = looked_at(files)
    above = f" (of the layers: those of {shown.name})" if shown is not None and len(files) > 1 else ""
    return [
        heading(f"operators of the files, by a trial conversion{above}"),
        table(("", ""), rows, left=(0, 1)),
        *_sizes_found_out(files),
    ]


def _sizes_found_out(files: Sequence[TrialConversion]) -> list[RenderableType]:
    """What files whose batch an app chooses find out at each call, and how to have it left out."""
    found = [file for file in files if file.batch is None and file.operators.get("SHAPE")]
    if not found:
        return []
    names, number = ", ".join(file.name for file in found), max(file.operators["SHAPE"] for file in found)
    return [
        plain_text(
            f"{names}: {counted(number, 'operator')} SHAPE, with what follows from them, because apps may choose how "
            "many examples a call has. `batch: 1` leaves them out where one is enough."
        )
    ]


def _contents(file: TrialConversion) -> Text:
    if file.refused:
        return plain_text(f"cannot be made: {file.refused}", "red")
    if not file.floats_in_integers:
        return plain_text(_counted(file.operators))
    behind = f" (layers {', '.join(file.float_layers)})" if file.float_layers else ""
    return plain_text(f"{_counted(file.operators)}; in float: {_counted(file.float_operators)}{behind}", "yellow")


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {number}" for name, number in sorted(operators.items(), key=lambda one: (-one[1], one[0]))
    )
