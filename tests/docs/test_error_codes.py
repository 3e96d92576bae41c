"""docs/errors.md has every error code."""

from __future__ import annotations

import importlib

import pytest

from tests.support.root import REPOSITORY
from tfopt.core.language.error_codes import CODES


def test_the_page_of_error_codes_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    module = importlib.import_module("write_error_codes")
    page = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == module.page(), "run: python docs/write_error_codes.py"
    assert [code for _, codes in module.sections() for code in codes] == list(CODES)
