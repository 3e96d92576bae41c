"""Data sets that tfopt does not download: the user names their folder in the recipe, or in an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

from tfopt.errors import EnvironmentProblem


def own_folder(name: str, given: str | None, variable: str, origin: str) -> Path:
    """The folder of a data set.

    Args:
        name: of the data set.
        given: its `args.folder`; None where the environment variable is to name it.
        variable: name of the environment variable.
        origin: where people get the data set.

    Raises:
        EnvironmentProblem: neither names a folder, or it does not exist.
    """
    named = given if given is not None else os.environ.get(variable)
    if not named:
        raise EnvironmentProblem(
            f"The data set {name} is not downloaded by tfopt.",
            f"Get {origin}, and name its folder: data.args: {{folder: ...}}, or the environment variable {variable}.",
            code="data_missing",
        )
    path = Path(named).expanduser()
    if not path.is_dir():
        where = "args.folder" if given is not None else f"the environment variable {variable}"
        raise EnvironmentProblem(
            f"The folder of {name} does not exist: {path.absolute()} ({where}).", code="data_missing"
        )
    return path
