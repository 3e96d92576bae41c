"""A command line in the same process, and an api that does what a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tfopt import api
from tfopt.cli.main import main

Call = tuple[tuple[Any, ...], dict[str, Any]]


@pytest.fixture
def tfopt() -> Callable[..., Result]:
    """Calls the command line."""

    def call(*arguments: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(main, list(arguments), prog_name="tfopt")

    return call


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], list[Call]]:
    """Replaces a function of the api; gives the calls it receives."""

    def replace(name: str, result: Any) -> list[Call]:
        calls: list[Call] = []

        def stand_in(*arguments: Any, **keywords: Any) -> Any:
            calls.append((arguments, keywords))
            if isinstance(result, BaseException):
                raise result
            return result(*arguments, **keywords) if callable(result) else result

        monkeypatch.setattr(api, name, stand_in)
        return calls

    return replace
