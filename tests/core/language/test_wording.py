"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from tfopt.core.language.wording import counted


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (1, ("operator",), "1 operator"),
        (0, ("operator",), "0 operators"),
        (1200, ("step",), "1,200 steps"),
        (2, ("entry", "entries"), "2 entries"),
        (1, ("entry", "entries"), "1 entry"),
    ],
)
def test_one_is_not_several(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert counted(number, *nouns) == text
