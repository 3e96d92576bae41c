"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.figures import render
from tests.support.quick_tensorflow import (
    ONE_THREAD,
    few_collections_of_conversions,
    no_functions_for_gpus,
    optimize_graphs,
)
from tests.support.root import SHARED_DATA

# No test asserts on time: a busy machine made Hypothesis' deadline and its check for slow data fail.
settings.register_profile("tfopt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tfopt")

# A worker holds gigabytes of TensorFlow's Python objects, which each full collection visits: with rarer collections two
# files of training tests took 68 CPU seconds in place of 75.
gc.set_threshold(200_000, 20, 100)

# Read when TensorFlow is imported, here and in every child process.
os.environ.update(ONE_THREAD)


LONG = {"cases", "docs", "end_to_end", "executors", "notebooks", "testing"}
"""Folders of files that take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the longest files to the front, so that no worker is alone with one at the end."""
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] not in LONG)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures of a test with TensorFlow: graphs are made quickly and generators are seeded.

    Grappler is off, but for tests that are marked with `grappler`; figures are not rendered.

    Unseeded, the weights of a model in a module's fixture depend on the files that ran before in this process.
    """
    needs_tensorflow = item.get_closest_marker("tf") is not None
    render(on=not needs_tensorflow)
    if needs_tensorflow:
        import tf_keras

        optimize_graphs(item.get_closest_marker("grappler") is not None)
        no_functions_for_gpus()
        few_collections_of_conversions()
        tf_keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Gives the folder of a real data set that lies beside the checkout; skips the test where it does not."""

    def folder(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.is_dir():
            pytest.skip(f"real data {name!r} does not lie beside this checkout ({path})")
        return path

    return folder
