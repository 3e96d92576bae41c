"""What code of the user's own does, as a hash: part of the store key of whatever is computed with it."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

_INSTALLED = ("site-packages", "dist-packages")
_PLAIN = (bool, int, float, str, bytes, tuple, frozenset, type(None))


def code_fingerprint(code: object) -> str:
    """SHA-256 of the source of a function or class, and of what it uses of the user's modules, however deep.

    Used are the names that its code mentions: functions, classes, numbers and texts of its module, and whole modules of
    the user. What an installed package does is not part of it, nor is what code reads from files.
    """
    digest = hashlib.sha256(b"tfopt code 1\n")
    for line in sorted(set(_lines(code, set()))):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _lines(code: Any, seen: set[int]) -> Iterator[str]:
    code = inspect.unwrap(code) if inspect.isfunction(code) else code
    if id(code) in seen:
        return
    seen.add(id(code))
    if inspect.isclass(code):
        yield _source(code)
        for base in code.__mro__[1:]:
            if _is_own(base):
                yield from _lines(base, seen)
        functions = [value for value in _members(code) if isinstance(value, FunctionType)]
    elif isinstance(code, FunctionType):
        yield _source(code)
        functions = [code]
    else:
        kind = type(code)
        yield f"{kind.__module__}.{kind.__qualname__}"
        functions = []
        if _is_own(kind):
            yield from _lines(kind, seen)
    for function in functions:
        if _is_own(function):
            for name, value in _used(function):
                yield from _of_value(name, value, seen)


def _of_value(name: str, value: object, seen: set[int]) -> Iterator[str]:
    if isinstance(value, ModuleType):
        if _is_own(value) and id(value) not in seen:
            seen.add(id(value))
            yield Path(str(value.__file__)).read_text(encoding="utf-8")
    elif isinstance(value, FunctionType) or inspect.isclass(value):
        if _is_own(value):
            yield from _lines(value, seen)
    elif isinstance(value, _PLAIN):
        yield f"{name} = {value!r}"


def _members(code: type) -> Iterator[object]:
    for value in vars(code).values():
        yield value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def _used(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Global names that a function mentions, and what it closes over."""
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _source(code: Any) -> str:
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return f"{code.__module__}.{code.__qualname__}"


def _is_own(code: object) -> bool:
    """Whether code is in a module of the user: neither of Python nor installed."""
    module = code if isinstance(code, ModuleType) else sys.modules.get(getattr(code, "__module__", ""))
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__.split(".")[0] in (*sys.stdlib_module_names, "tfopt"):
        return False
    return not any(part in _INSTALLED for part in Path(file).parts)
