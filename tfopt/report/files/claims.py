"""Claims about files that were checked outside of a run, as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfopt.report.shared.terminal import indented, plain_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfopt.core.records.report import ClaimRecord


def claims_text(claims: Sequence[ClaimRecord], title: str) -> list[RenderableType]:
    """Each claim with what was found, and a verdict.

    Args:
        claims: what was checked.
        title: name of the file or folder.
    """
    parts: list[RenderableType] = [plain_text(title, "bold")]
    for claim in claims:
        verdict, style = ("held", "") if claim.held else ("broken", "red")
        parts.append(indented(f"{verdict}: {claim.claim} ({claim.found})", style))
    broken = sum(not claim.held for claim in claims)
    sentence = f"{broken} of {len(claims)} claims broken." if broken else f"All {len(claims)} claims held."
    parts.append(plain_text(sentence, "bold red" if broken else "bold green"))
    return parts
