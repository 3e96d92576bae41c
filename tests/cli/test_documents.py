"""What `--json` prints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from tfopt.cli.documents import json_text, plain
from tfopt.errors import Problem


@dataclass(frozen=True)
class Found:
    path: Path
    values: tuple[float, ...]


def test_everything_becomes_plain_values() -> None:
    found = Found(Path("a/b"), (1.5, float("nan"), float("inf")))
    assert plain({3: found}) == {"3": {"path": "a/b", "values": [1.5, None, None]}}
    assert plain(MappingProxyType({"key": (1, True, None)})) == {"key": [1, True, None]}
    problem = Problem(("stages", 1), "is wrong.", code="invalid_value")
    assert json.loads(json_text(problem))["code"] == "invalid_value"


def test_a_value_without_a_plain_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain({"key": object()})
