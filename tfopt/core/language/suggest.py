"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """A sentence ` Did you mean 'x'?` with a leading space, or nothing when no known name is close."""
    from difflib import get_close_matches  # only needed where something is wrong

    matches = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
