"""The export contract, over all targets that come with tfopt."""

from __future__ import annotations

import pytest

from tfopt.catalog.entries import find
from tfopt.testing.exports import ExportContract

pytestmark = pytest.mark.tf


class TestBundle(ExportContract):
    kind = "bundle"
    others = {"tflite": {"int8": {"quantize": "int8"}}}


class TestKeras(ExportContract):
    kind = "keras"


class TestSavedModel(ExportContract):
    kind = "saved_model"


class TestTflite(ExportContract):
    kind = "tflite"
    config = {"float32": {}, "int8": {"quantize": "int8"}}


def test_all_targets_are_here() -> None:
    tried = {suite.kind for suite in ExportContract.__subclasses__() if suite.__module__ == __name__}
    assert tried == {name for name, entry in find("exports").items() if entry.origin == "tfopt"}
