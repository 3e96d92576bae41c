"""One run of the first recipe, shared by everything that looks at its results."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

import tfopt
from tests.support.children.plain_keras import plain_keras_in_forks as plain_keras_in_forks
from tests.support.figures import render
from tests.support.root import REPOSITORY
from tfopt.core.records.run import Run

FIRST_RECIPE = REPOSITORY / "recipes" / "digits_prune_qat.yaml"


@pytest.fixture(scope="session")
def first_out(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The README's demo, as it is: run by the first worker that needs it, copied by the others.

    In `.ci/run`, TFOPT_DEMO names the folder in which `make demo` has just run it.
    """
    render(on=True)
    own = tmp_path_factory.mktemp("first") / "saved_models"
    if worker_id == "master":
        tfopt.run(FIRST_RECIPE, out=own)
        return own
    shared = tmp_path_factory.getbasetemp().parent / "first_run"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if "TFOPT_DEMO" in os.environ and not shared.exists():
            shutil.copytree(REPOSITORY / os.environ["TFOPT_DEMO"], shared, symlinks=True)
        tfopt.run(FIRST_RECIPE, out=shared)
        shutil.copytree(shared, own, symlinks=True)
    return own


@pytest.fixture(scope="session")
def first_run(first_out: Path) -> Run:
    """The finished run in its folder."""
    return tfopt.run(FIRST_RECIPE, out=first_out)
