"""Errors by their code: the wording is free to improve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tfopt.errors import TfoptError


@contextmanager
def refused(kind: type[TfoptError], code: str, *parts: str) -> Iterator[pytest.ExceptionInfo[TfoptError]]:
    """Expects an error with this code, whose text contains `parts`: names and values that the user must read there.

    The code of a `RecipeError` is that of each of its problems.
    """
    with pytest.raises(kind, match=re.compile(".*")) as caught:
        yield caught
    problems = getattr(caught.value, "problems", ())
    codes = {problem.code for problem in problems} or {caught.value.code}
    assert codes == {code}, str(caught.value)
    for part in parts:
        assert part in str(caught.value)
