"""What all tests share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.fork_server import forked_conversions
from tests.support.root import SHARED_DATA

# No test asserts on time: a busy machine made Hypothesis' deadline and its check for slow data fail.
settings.register_profile("tfopt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tfopt")

# A worker holds gigabytes of TensorFlow's Python objects, which each full collection visits: with rarer collections two
# files of training tests took 68 CPU seconds in place of 75.
gc.set_threshold(200_000, 20, 100)


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
