"""Syntax trees in spite of the race of Python before 3.11.8."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tfopt.core.language.python_source import ATTEMPTS, syntax_tree


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
def test_text_is_read_again_when_another_thread_was_in_the_way(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    parse, failures = ast.parse, iter(range(times))

    def shaky(*arguments: Any, **named: Any) -> Any:
        if next(failures, None) is not None:
            raise SystemError("AST constructor recursion depth mismatch (before=135, after=130)")
        return parse(*arguments, **named)

    monkeypatch.setattr(ast, "parse", shaky)
    assert [type(node) for node in syntax_tree("x = 1").body] == [ast.Assign]


def test_wrong_text_is_an_error_at_once() -> None:
    with pytest.raises(SyntaxError):
        syntax_tree("x =")
