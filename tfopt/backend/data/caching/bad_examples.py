"""Examples that cannot be read: counted, named, and left out where the recipe says so."""

from __future__ import annotations

from collections.abc import Mapping

from tfopt.core.language.wording import counted
from tfopt.errors import StageError

SHOWN = 5


def check_bad(bad: Mapping[int, str], total: int, skip: bool, what: str) -> None:
    """Refuses examples that cannot be read.

    Args:
        bad: what is wrong, by position.
        total: number of examples.
        skip: whether they may be left out.
        what: source and split.

    Raises:
        StageError: there are some, and they may not be left out; or there are no others.
    """
    if not bad or (skip and len(bad) < total):
        return
    first = [bad[position].rstrip(".") for position in sorted(bad)[:SHOWN]]
    more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    raise StageError(
        f"{what}: {len(bad):,} of {counted(total, 'example')} cannot be read: {'; '.join(first)}{more}.",
        "Repair or remove them" + (", or set data.on_bad_example: skip to leave them out." if not skip else "."),
        code="data_unreadable",
    )
