"""Which files were written for Model Explorer, and how to open them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.report.files.explorer import explorer_text


@pytest.mark.parametrize(("installed", "words"), [(True, False), (False, True)])
def test_the_command_for_model_explorer_is_said(installed: bool, words: bool) -> None:
    lines = explorer_text([Path("a b.json")], ["model-explorer", "a b.tflite"], installed)
    assert lines[-1] == "  model-explorer 'a b.tflite'"
    assert any("pip install" in line for line in lines) is words
