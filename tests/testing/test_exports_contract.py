"""The export contract, over all targets that come with tfopt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tests.support.language_models import recurrent, text_data
from tfopt.catalog.entries import find
from tfopt.core.contracts.types import Data, Model
from tfopt.testing.exports import ExportContract

pytestmark = pytest.mark.tf


class TestBundle(ExportContract):
    kind = "bundle"
    others = {"tflite": {"int8": {"quantize": "int8"}}}


class OfTexts(ExportContract):
    """With a recurrent network that reads token after token."""

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> Model:
        return recurrent("GRU")

    @classmethod
    def data(cls) -> Data:
        return text_data()


class TestGenerate(OfTexts):
    kind = "generate"
    config: ClassVar[Mapping[str, Any]] = {"prefill": [4], "files": {"float32": {}}}


class TestStreaming(OfTexts):
    kind = "streaming"
    config: ClassVar[Mapping[str, Any]] = {"frames": [1, 4], "files": {"float32": {}}}


class TestKeras(ExportContract):
    kind = "keras"


class TestSavedModel(ExportContract):
    kind = "saved_model"


class TestTflite(ExportContract):
    kind = "tflite"
    config = {"float32": {}, "int8": {"quantize": "int8"}}


def test_all_targets_are_here() -> None:
    suites = [*ExportContract.__subclasses__(), *OfTexts.__subclasses__()]
    tried = {suite.kind for suite in suites if suite.__module__ == __name__ and suite is not OfTexts}
    assert tried == {name for name, entry in find("exports").items() if entry.origin == "tfopt"}
