"""Syntax trees of Python files, also in a process in which TensorFlow works."""

from __future__ import annotations

import ast
from threading import Lock

ATTEMPTS = 10

_parsing = Lock()


def syntax_tree(text: str, filename: str = "<unknown>") -> ast.Module:
    """The syntax tree of Python text.

    Python before 3.11.8 counts the depth of a tree in one variable for all threads: `ast.parse` fails with
    "SystemError: AST constructor recursion depth mismatch" when another thread, or the garbage collector, makes a tree
    at the same moment (https://github.com/python/cpython/issues/106905). The text is not to blame, so it is read again.

    Raises:
        SyntaxError: the text is not Python.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            with _parsing:
                return ast.parse(text, filename=filename)
        except SystemError:
            continue
    return ast.parse(text, filename=filename)
