"""What a Python file says of itself without being imported: its summary and the arguments of a function."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest


@dataclass(frozen=True)
class Signature:
    """The arguments of a function that a recipe can give.

    Args:
        names: all of them, in order.
        required: those without a default.
        open: takes any other argument too.
    """

    names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    open: bool = False

    def mistakes(self, name: str, arguments: Mapping[str, Any]) -> list[Mistake]:
        """Mistakes in a recipe's `args`; paths begin below them."""
        found = []
        for key in arguments:
            if str(key) not in self.names and not self.open:
                guess = closest(str(key), self.names) or f" Its arguments: {', '.join(self.names) or 'none'}."
                message = f"{name} has no argument {str(key)!r}.{guess}"
                found.append(Mistake((str(key),), message, code="unknown_argument"))
        missing = [key for key in self.required if key not in arguments]
        return found + [
            Mistake((key,), f"{name} needs the argument {key!r}.", code="missing_argument") for key in missing
        ]


@dataclass(frozen=True)
class Described:
    """What a file says of itself.

    Args:
        summary: first line of its docstring.
        signature: of the function asked for, or the keys of a class.
    """

    summary: str
    signature: Signature


def describe(file: Path, function: str | None = None, given: Sequence[str] = ()) -> Described:
    """Reads a Python file without running it.

    Args:
        file: the source.
        function: whose arguments are wanted; None for the keys of the last class, read off its annotations.
        given: arguments that the recipe need not give.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    summary = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    if function is None:
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        return Described(summary, Signature(tuple(_keys(classes[-1])) if classes else ()))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return Described(summary, _signature(node.args, given))
    return Described(summary, Signature(open=True))


def _signature(arguments: ast.arguments, given: Sequence[str]) -> Signature:
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    required = [argument.arg for argument in positional[:first_default]]
    required += [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    names = [argument.arg for argument in (*positional, *arguments.kwonlyargs)]
    return Signature(
        tuple(name for name in names if name not in given),
        tuple(name for name in required if name not in given),
        arguments.kwarg is not None,
    )


def _keys(node: ast.ClassDef) -> list[str]:
    return [
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and not ast.unparse(item.annotation).startswith("ClassVar")
    ]
