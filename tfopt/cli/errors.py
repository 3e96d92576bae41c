"""Errors as a person reads them: place, message, the offending line with a caret."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import click

from tfopt.errors import Problem, RecipeError, TfoptError, Where

_CONTEXT = 100
"""How many characters of a long line are shown around the mistake."""


def error_text(error: TfoptError) -> str:
    """What is printed for an error."""
    if isinstance(error, RecipeError):
        return "\n".join([*(problem_text(problem) for problem in error.problems), *_tally(error.problems)])
    return problem_text(Problem((), error.message, error.hint, where=error.where, code=error.code), prefix="Error: ")


def problem_text(problem: Problem, prefix: str = "") -> str:
    """One mistake: where it is, what it is, how to fix it, and the line itself."""
    sentence = f"{problem.message} {problem.hint}".rstrip()
    if problem.where is None:
        return click.style(prefix, fg="red", bold=True) + sentence if prefix else sentence
    lines = [click.style(f"{problem.where}:", bold=True) + f" {sentence}"]
    return "\n".join([*lines, *snippet(problem.where)])


def snippet(where: Where) -> list[str]:
    """The offending line and a caret below the place; empty where the line is not known."""
    if not where.text.strip():
        return []
    start = max(0, where.column - 1 - _CONTEXT // 2) if len(where.text) > _CONTEXT else 0
    shown = where.text[start : start + _CONTEXT].rstrip()
    before = where.text[start : max(where.column - 1, 0)]
    if start:
        shown, before = f"…{shown}", f" {before}"
    number = f"{where.line:4}"
    caret = click.style("^", fg="red", bold=True)
    return [f"{number} | {shown}", f"{'':{len(number)}} | {''.join(map(_blank, before))}{caret}"]


def _blank(character: str) -> str:
    """White space as wide as `character` is in a terminal."""
    if character == "\t":
        return "\t"
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def _tally(problems: Sequence[Problem]) -> list[str]:
    return [f"{len(problems)} mistakes; nothing was run."] if len(problems) > 1 else []


def error_document(error: TfoptError) -> dict[str, object]:
    """An error for `--json`, so that there is always one document on stdout."""
    problems = error.problems if isinstance(error, RecipeError) else ()
    return {
        "error": {
            "kind": type(error).__name__,
            "code": error.code,
            "exit_code": error.exit_code,
            "message": error.message,
            "hint": error.hint,
            "where": error.where,
            "problems": problems,
        }
    }
