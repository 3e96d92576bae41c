"""The modules next to a recipe: found by its run and by every process that the run starts, and by nobody else.

Installed modules and those of Python come first, so a `random.py` next to a recipe takes nobody's `random`. After them
comes the folder of the recipe, then the current one. Two recipes in one process (a notebook, a worker of a sweep, a
teacher's recipe) may each have a `model.py`: each finds its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

_KEPT: dict[Path, dict[str, ModuleType]] = {}
"""Modules of a folder that had to make room for others of their names, until the folder is entered again."""

_STAMPS: dict[str, tuple[Path, int]] = {}
"""File and time of its last change for each module that was imported from the folder of a recipe."""
_INSIDE: list[str] = []
"""Folders of the recipes that are under way, the innermost first: one recipe may need the result of another."""


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Makes the modules next to a recipe importable, here and in processes that get `child_environment`.

    Where a file has changed since it was imported, all modules of the folder are imported again: a notebook runs a
    recipe many times.

    Args:
        folder: of the recipe.
    """
    folder = folder.resolve()
    if not _INSIDE:
        _forget_changed(folder)
    before = list(sys.path)
    here = str(Path.cwd())
    own = list(dict.fromkeys([str(folder), here, *_INSIDE]))
    sys.path[:] = [*(path for path in before if path not in ("", *own)), *own]
    inside = list(sys.path)
    _INSIDE.insert(0, str(folder))
    displaced = _displace(folder)
    sys.modules.update(_KEPT.pop(folder, {}))
    known = frozenset(sys.modules)
    try:
        yield
    finally:
        _INSIDE.pop(0)
        _note_new(folder, known)
        if displaced:
            _KEPT[folder] = _with_parts({name.partition(".")[0] for name in displaced})
            sys.modules.update(displaced)
        # What the code itself added stays.
        sys.path[:] = [*before, *(path for path in sys.path if path not in inside)]


def _note_new(folder: Path, known: frozenset[str]) -> None:
    """Notes when the files of modules were changed last that were imported from a folder just now."""
    for name in frozenset(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and Path(file).is_relative_to(folder) and "site-packages" not in Path(file).parts:
            _STAMPS[name] = (Path(file), Path(file).stat().st_mtime_ns)


def _forget_changed(folder: Path) -> None:
    """Removes the modules that were imported from a folder, where a file of one of them has changed since."""
    known = {name: stamp for name, stamp in _STAMPS.items() if stamp[0].is_relative_to(folder)}
    if any(not file.exists() or file.stat().st_mtime_ns != changed for file, changed in known.values()):
        _KEPT.pop(folder, None)
        for name in known:
            sys.modules.pop(name, None)
            del _STAMPS[name]


def current_folder() -> Path:
    """Folder of the recipe that is under way; the current folder where none is."""
    return Path(_INSIDE[0]) if _INSIDE else Path.cwd()


def child_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process that finds the modules that this one finds now, and in the same order.

    Args:
        changes: variables to set.
    """
    importable = os.pathsep.join(path or os.getcwd() for path in sys.path)
    # Without the last, `python -m` puts the current folder before everything: a queue.py there would be Python's.
    return {**os.environ, "PYTHONPATH": importable, "PYTHONSAFEPATH": "1", **changes}


def shadowed(module: str, folder: Path) -> Path | None:
    """The file next to a recipe that would be `module`, where Python finds an installed module of that name instead."""
    top = module.partition(".")[0]
    return next((path for path in (folder / f"{top}.py", folder / top) if path.exists()), None)


def _displace(folder: Path) -> dict[str, ModuleType]:
    """Takes modules of other folders out of `sys.modules` that have the names of modules of this one."""
    strangers = {name for name in _names(folder) if name in sys.modules and _is_strange(name, folder)}
    return _with_parts(strangers)


def _with_parts(names: set[str]) -> dict[str, ModuleType]:
    """Removes modules and their submodules from `sys.modules`, and returns them."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}


def _names(folder: Path) -> set[str]:
    """Names under which the files of a folder can be imported."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    modules = {path.stem for path in entries if path.suffix == ".py"}
    return modules | {path.name for path in entries if path.name.isidentifier() and (path / "__init__.py").is_file()}


def _is_strange(name: str, folder: Path) -> bool:
    """Whether a loaded module is not the one of that name that Python would find in the folder."""
    file = getattr(sys.modules[name], "__file__", None)
    places = (folder / f"{name}.py", folder / name / "__init__.py")
    if name == "__main__" or name in sys.stdlib_module_names or file is None or Path(file).resolve() in places:
        return False
    found = PathFinder.find_spec(name)
    return found is not None and found.origin is not None and Path(found.origin).resolve() in places
