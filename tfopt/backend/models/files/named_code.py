"""Classes and functions that a model file names: looked up in the modules that the recipe allows, and nowhere else."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import keras
import tf_keras

from tfopt.backend.graph.serialized_names import current_name
from tfopt.backend.models.files.trust import Finding
from tfopt.catalog import references
from tfopt.catalog.guard import guarded
from tfopt.catalog.own_code import importable
from tfopt.errors import StageError

CustomObjects: TypeAlias = dict[str, object]
"""Classes and functions by the name in a configuration."""


def given(objects: Sequence[str], folder: Path) -> CustomObjects:
    """What the modules of `model.objects` define, by every name that a configuration may have for it.

    Importing a module registers what it registers, too.

    Args:
        objects: `package.module` for all that a module defines, `package.module:name` for one class or function.
        folder: of the recipe, whose modules are found.

    Raises:
        StageError: a module or a name in it is missing, or the module fails on import.
    """
    found: CustomObjects = {}
    for named in objects:
        if references.is_function(named):
            parts = [references.function(named, folder)]
        else:
            module = references.module(named, named, folder)
            parts = [value for name, value in vars(module).items() if name[:1] != "_" and _is_of(value, module)]
        found.update({name: code for code in parts for name in _names(code)})
    return found


def _is_of(value: object, module: ModuleType) -> bool:
    """Whether a module defines a class or function, or imports it from a module of the same package."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return False
    return value.__module__.partition(".")[0] == module.__name__.partition(".")[0]


def _names(code: Any) -> Iterator[str]:
    yield code.__name__
    yield keras.saving.get_registered_name(code)
    yield tf_keras.saving.get_registered_name(code)


def found_code(finding: Finding, known: Mapping[str, object]) -> object:
    """The class or function of a finding, where it is known or registered; else None."""
    for name in dict.fromkeys((finding.name, finding.name.rpartition(".")[2].rpartition(">")[2])):
        for code in (known.get(name), keras.saving.get_registered_object(name)):
            if code is not None:
                return code
        if (code := tf_keras.saving.get_registered_object(name)) is not None:
            return code
    return None


def imported(path: Path, finding: Finding, folder: Path) -> CustomObjects:
    """The class or function that a file names with its module, by the names that Keras looks it up with.

    Raises:
        StageError: the module or the name in it is missing.
    """
    part = finding.part
    if "class_name" not in part:
        return {}
    name = part["config"] if part["class_name"] == "function" else part.get("spec_name", part["class_name"])
    module, _, attribute = current_name(f"{part['module']}:{name}").partition(":")
    with importable(folder):
        try:
            code = guarded(
                lambda: getattr(importlib.import_module(module), attribute), f"Importing what {path} names ({name})"
            )
        except StageError as error:
            raise StageError(error.message, f"Put {module} next to the recipe. {NAME_IT}", code=error.code) from error
    registered = part.get("registered_name")
    return {name: code, **({registered: code} if isinstance(registered, str) else {})}


def with_hint(error: StageError) -> StageError:
    """An error of Keras about unknown code, with the way to give it: old files name functions by their names alone."""
    signs = ("Unknown ", "Could not locate", "custom_objects", "Could not interpret")
    unknown = any(sign in error.message for sign in signs)
    if error.hint or not unknown:
        return error
    return StageError(
        error.message,
        "Name the module of the classes and functions of yours that it is made of: model.objects: [package.module].",
        code=error.code,
    )


NAME_IT = "Where the code is in another module now, name that: model.objects: [package.module]."


def missing(path: Path, findings: Sequence[Finding]) -> StageError:
    """Nothing that the recipe names has these classes and functions, and the file does not say where they are."""
    names = ", ".join(dict.fromkeys(repr(finding.name) for finding in findings))
    layers = ", ".join(dict.fromkeys(repr(finding.layer) for finding in findings if finding.layer))
    return StageError(
        f"{path} uses {names}" + (f" (layer {layers})" if layers else "") + ", which Keras does not have, and does "
        "not say in which module it is.",
        "Name the module that defines it, next to the recipe or installed: model.objects: [package.module].",
        code="model_unreadable",
    )
