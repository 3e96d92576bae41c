"""Finds the code that a recipe names: built-in files, entry points of other packages, and `package.module:function`.

A recipe is data; only here do data and model sources turn into code that runs.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from tfopt.catalog.entries import entry_points
from tfopt.catalog.guard import T, guarded
from tfopt.catalog.own_code import current_folder, importable, shadowed
from tfopt.core.language.references import is_reference as is_function
from tfopt.core.language.suggest import closest
from tfopt.errors import EnvironmentProblem, StageError

Kind = Literal["dataset", "model"]
_PACKAGES = {"dataset": "tfopt.backend.data.datasets", "model": "tfopt.backend.models.zoo"}
_GROUPS = {"dataset": "tfopt.datasets", "model": "tfopt.models"}
_FUNCTIONS = {"dataset": "load", "model": "build"}
__all__ = ["by_name", "call", "check_arguments", "function", "is_function", "module", "named", "names"]

_RELATIVE = (
    "Modules next to the recipe are no package: write `from layers import ...` without the dot, or put them into a "
    "folder with an __init__.py and name it: folder.module:function."
)


def names(kind: Kind) -> list[str]:
    """Every name that a recipe may use: built-in files and entry points, sorted."""
    return sorted({*_built_in(kind), *(entry.name for entry in entry_points(_GROUPS[kind]))})


def by_name(kind: Kind, name: str) -> Callable[..., Any]:
    """The function `load` of a dataset, or `build` of a model, by its name in a recipe.

    An entry point names the function (`package.module:function`), or a module with a function `load` or `build`.

    Raises:
        StageError: there is no such name.
        EnvironmentProblem: the entry point of another package fails, or two of them share the name.
    """
    entries = list(entry_points(_GROUPS[kind]).select(name=name))
    built_in = name in _built_in(kind)
    if len(entries) + built_in > 1:
        owners = ", ".join(["tfopt"] * built_in + [entry.value for entry in entries])
        raise EnvironmentProblem(
            f"The {kind} {name!r} is defined more than once: {owners}.",
            "Uninstall all but one of these packages.",
            code="broken_plugin",
        )
    if built_in:
        own: Callable[..., Any] = getattr(importlib.import_module(f"{_PACKAGES[kind]}.{name}"), _FUNCTIONS[kind])
        return own
    if not entries:
        known = names(kind)
        raise StageError(
            f"There is no {kind} {name!r}.{closest(name, known)}",
            f"Known {kind}s: {', '.join(known)}. Code of your own is written package.module:function.",
            code="unknown_source",
        )
    entry = entries[0]
    try:
        function: Callable[..., Any] = entry.load()
    except Exception as error:
        raise EnvironmentProblem(
            f"The entry point {entry.name!r} of group {_GROUPS[kind]!r} ({entry.value}) cannot be loaded: "
            f"{type(error).__name__}: {error}",
            "Repair or uninstall the package that declares it.",
            code="broken_plugin",
        ) from error
    if inspect.ismodule(function):
        function = getattr(function, _FUNCTIONS[kind], function)
    if not callable(function):
        raise EnvironmentProblem(
            f"The entry point {entry.name!r} of group {_GROUPS[kind]!r} must name a function, "
            f"or a module with {_FUNCTIONS[kind]!r}, but {entry.value} is a {type(function).__name__}.",
            "Repair or uninstall the package that declares it.",
            code="broken_plugin",
        )
    return function


def function(source: str, folder: Path) -> Callable[..., Any]:
    """The function written as `package.module:function`.

    Args:
        source: as in the recipe.
        folder: folder of the recipe; modules in it are found.

    Raises:
        StageError: no such module or function, or the module fails on import.
    """
    module_name, _, name = source.partition(":")
    imported = module(module_name, source, folder)
    found: Callable[..., Any] | None = getattr(imported, name, None)
    if not callable(found):
        known = [key for key, value in vars(imported).items() if callable(value) and not key.startswith("_")]
        raise StageError(
            f"{source}: {module_name!r} has no function {name!r}.{closest(name, known)}",
            _another(imported, folder),
            code="unknown_source",
        )
    return found


def module(name: str, source: str, folder: Path) -> ModuleType:
    """A module that a recipe names.

    Args:
        name: `package.module`.
        source: what the recipe says, for errors.
        folder: folder of the recipe; modules in it are found.

    Raises:
        StageError: there is no such module, or it fails on import.
    """
    with importable(folder):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise StageError(
                    f"{source}: the module {name!r} itself imports {error.name!r}, which is missing.",
                    f"Install {error.name}.",
                    code="user_code_failed",
                ) from error
            raise StageError(
                f"{source}: there is no module {error.name!r}.",
                f"Install it, or put {name.split('.')[0]}.py next to the recipe ({folder}).",
                code="unknown_source",
            ) from error
        except Exception as error:
            relative = isinstance(error, ImportError) and "no known parent package" in str(error)
            raise StageError(
                f"{source}: importing {name!r} failed: {type(error).__name__}: {error}",
                _RELATIVE if relative else "",
                code="user_code_failed",
            ) from error


def _another(module: ModuleType, folder: Path) -> str:
    """What to do where Python found another module than the one next to the recipe; empty where it did not."""
    beside, file = shadowed(module.__name__, folder), getattr(module, "__file__", None)
    if beside is None or (file is not None and Path(file).resolve().is_relative_to(folder.resolve())):
        return ""
    return f"Python finds {file or 'its own module'} before {beside}: give that file a name that no other module has."


def named(source: str) -> Callable[..., Any]:
    """The function or class that the recipe under way names as `package.module:name`.

    Raises:
        StageError: as `function`.
    """
    return function(source, current_folder())


def call(function: Callable[..., T], source: str, args: Mapping[str, object], folder: Path) -> T:
    """Calls code that a recipe names, with the recipe's arguments.

    Raises:
        StageError: an argument is unknown or missing, or the function raised; the message names `source`.
    """
    check_arguments(function, source, args)
    with importable(folder):
        return guarded(lambda: function(**args), source)


def call_with(function: Callable[..., T], source: str, values: tuple[object, ...], folder: Path) -> T:
    """Calls a function of the user's own with values of a run.

    Args:
        function: what `source` names.
        source: `package.module:function`, for errors.
        values: in order.
        folder: folder of the recipe; modules in it are found.

    Raises:
        StageError: the function takes another number of arguments, or raised; the message names `source`.
    """
    try:
        inspect.signature(function).bind(*values)
    except ValueError:  # code in C has no signature
        pass
    except TypeError as error:
        raise StageError(
            f"{source} cannot be called with {len(values)} values: {error}.",
            "It is called with inputs and targets: see docs/data.md.",
            code="unusable_code",
        ) from error
    with importable(folder):
        return guarded(lambda: function(*values), source)


def check_arguments(function: Callable[..., object], source: str, args: Mapping[str, object]) -> None:
    """Compares a recipe's arguments with what a function takes.

    Raises:
        StageError: an unknown or missing argument.
    """
    parameters = inspect.signature(function).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        for name in args:
            if name not in parameters:
                raise StageError(
                    f"{source} has no argument {name!r}.{closest(name, parameters)}",
                    f"Its arguments: {', '.join(parameters) or 'none'}.",
                    code="unknown_argument",
                )
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and name not in args
    ]
    if missing:
        raise StageError(
            f"{source} needs the argument {missing[0]!r}.",
            f"Add it under args, e.g. args: {{{missing[0]}: ...}}.",
            code="missing_argument",
        )


def _built_in(kind: Kind) -> set[str]:
    package = importlib.import_module(_PACKAGES[kind])
    return {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
