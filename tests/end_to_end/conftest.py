"""One run of the first recipe, shared by everything that looks at its results."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.records.run import Run

FIRST_RECIPE = REPOSITORY / "recipes" / "digits_prune_qat.yaml"


@pytest.fixture(scope="session")
def first_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("first") / "saved_models"


@pytest.fixture(scope="session")
def first_run(first_out: Path) -> Run:
    """The README's demo, as it is."""
    return tfopt.run(FIRST_RECIPE, out=first_out)
