"""Files that came with an installed package, as a recipe names them: `package:folder/file`."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from tfopt.errors import EnvironmentProblem

_IN_PACKAGE = re.compile(r"(?P<package>[A-Za-z_]\w+(\.[A-Za-z_]\w*)*):(?P<inside>[^\\]*)")


def is_in_package(path: str) -> bool:
    """Whether a path is written `package:folder`; `C:\\folder` is a drive of Windows."""
    return _IN_PACKAGE.fullmatch(path) is not None


def path_of(path: str, folder: Path, key: str) -> Path:
    """A path of a recipe; a package is not imported, but those around an inner one (`outer.inner`) are.

    Args:
        path: relative to `folder`, absolute, with `~` or `$VARIABLE`, or inside of a package: `package:folder/file`.
        folder: of the recipe.
        key: where the recipe says it, for errors.

    Returns:
        The path, which may lead nowhere.

    Raises:
        EnvironmentProblem: the package is not installed.
    """
    found = _IN_PACKAGE.fullmatch(path)
    if found is None:
        return folder / Path(os.path.expandvars(path)).expanduser()
    package = found["package"]
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentProblem(
            f"{key} is {path!r}, but the package {package} is not installed.",
            f"pip install --no-deps {package.split('.')[0].replace('_', '-')}",
            code="missing_package",
        )
    return Path(next(iter(spec.submodule_search_locations))) / found["inside"]
