"""The offending line with a caret below the mistake."""

from __future__ import annotations

import click
import pytest

from tfopt.cli.errors import snippet
from tfopt.errors import Where


@pytest.mark.parametrize(
    ("text", "column", "below"),
    [("epochs: x", 9, "        ^"), ("\tepochs: x", 10, "\t        ^"), ("名: x", 4, "    ^"), ("", 1, None)],
)
def test_the_caret_stands_below_the_mistake(text: str, column: int, below: str | None) -> None:
    lines = [click.unstyle(line).partition("| ")[2] for line in snippet(Where("a.yaml", 3, column, text))]
    assert lines == ([] if below is None else [text, below])


def test_of_a_long_line_the_part_around_the_mistake_is_shown() -> None:
    text = "a" * 300 + "!" + "b" * 300
    shown, caret = (click.unstyle(line).partition("| ")[2] for line in snippet(Where("a.yaml", 3, 301, text)))
    assert len(shown) <= 102
    assert shown[caret.index("^")] == "!"
