"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """A sentence ` Did you mean 'x'?` with a leading space, or nothing when no known name is close.

    The only name that has the given one as its first or last words is closer than any that is spelt alike: `float16` is
    meant for `mixed_float16`, not for `float32`.
    """
    from difflib import get_close_matches  # only needed where something is wrong

    names, given = list(known), str(name)
    longer = [each for each in names if each.startswith(f"{given}_") or each.endswith(f"_{given}")]
    matches = longer if len(longer) == 1 else get_close_matches(given, names, n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
