"""What all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.fork_server import forked_conversions
from tests.support.root import SHARED_DATA


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Gives the folder of a real data set that lies beside the checkout; skips the test where it does not."""

    def folder(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.is_dir():
            pytest.skip(f"real data {name!r} does not lie beside this checkout ({path})")
        return path

    return folder


@pytest.fixture(scope="session", autouse=True)
def conversions() -> Iterator[None]:
    """Forks converter processes from one that has TensorFlow imported."""
    with forked_conversions():
        yield
