"""Text and tables for the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tfopt.report.shared.terminal import heading, indented, plain_text, table


def test_a_table_aligns_numbers_right_and_takes_cells_as_they_are() -> None:
    shown = printed([table(("", "size"), [("[bold]a", "1 kB"), ("b", "10 kB")])])
    assert [line.rstrip() for line in shown.splitlines()] == ["          size", "[bold]a   1 kB", "b        10 kB"]


def test_a_table_without_headers_has_no_header_line() -> None:
    assert printed([table(("", ""), [("a", "b")], left=(0, 1))]).strip() == "a  b"


def test_a_sentence_stays_set_in_however_long_it_is() -> None:
    lines = printed([indented("word " * 30)], 40).splitlines()
    assert len(lines) > 1
    assert all(line.startswith("  word") for line in lines)


def test_a_heading_has_an_empty_line_above() -> None:
    assert printed([plain_text("a"), heading("files")]) == "a\n\nfiles\n"
