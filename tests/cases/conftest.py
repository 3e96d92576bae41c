"""Where the cases are."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.children.plain_keras import plain_keras_in_forks as plain_keras_in_forks
from tests.support.root import SHARED_CASES


@pytest.fixture(scope="module")
def shared_case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Gives a copy of a case's folder; skips the test where the cases do not lie beside the checkout."""

    def folder(name: str) -> Path:
        if not (SHARED_CASES / name).is_dir():
            pytest.skip(f"the case {name!r} does not lie beside this checkout ({SHARED_CASES / name})")
        return Path(shutil.copytree(SHARED_CASES / name, tmp_path_factory.mktemp("cases") / name))

    yield folder
    # Many cases call their module `model`.
    for name in ("model", "data", "objects"):
        sys.modules.pop(name, None)
