"""Summary and arguments of a Python file, read without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.python_source import syntax_tree
from tfopt.core.language.suggest import closest

_ROOT = Path(__file__).resolve().parents[2]


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

    def mistakes(self, name: str, arguments: Mapping[str, object]) -> list[Mistake]:
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
    """The description of a file.

    Args:
        summary: first line of its docstring.
        signature: of the function asked for, or the keys of a class; None where it was not read.
    """

    summary: str
    signature: Signature | None


def describe(file: Path, function: str | None = None, given: Sequence[str] = ()) -> Described:
    """Reads a Python file without running it.

    Args:
        file: the source.
        function: whose arguments are wanted; None for the keys of the last class, read off its annotations and those
            of its bases that come from `tfopt.core.config`.
        given: arguments that the recipe need not give.
    """
    text = file.read_text(encoding="utf-8")
    if function is None:
        tree = syntax_tree(text, str(file))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        return Described(_summary(tree), Signature(tuple(_keys(classes[-1], tree)) if classes else ()))
    # Parsing all bodies would be most of the time of `tfopt ls`; the head of the file and one `def` line are enough.
    head, definition = _HEAD.match(text), _definition(text, function)
    try:
        parts = syntax_tree((head[0] if head else "") + definition)
    except SyntaxError:
        parts = syntax_tree(text, str(file))
    for node in parts.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return Described(_summary(parts), _signature(node.args, given))
    return Described(_summary(parts), Signature(open=True))


_HEAD = re.compile(r'(?:\s*#.*\n)*\s*r?"""(?:[^"\\]|\\.|"(?!""))*"""\s*\n')
"""The docstring of a module."""


def _definition(text: str, function: str) -> str:
    """The `def` of a function at the top of a file, with an empty body; nothing where there is none."""
    found = re.search(rf"^def {re.escape(function)}\(.*?\)(?: -> [^\n]*)?:[^\n]*\n", text, re.DOTALL | re.MULTILINE)
    return f"{found[0].rstrip()} ...\n" if found else ""


def _summary(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0].strip()


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


def _keys(node: ast.ClassDef, tree: ast.Module) -> list[str]:
    """Keys of a class, those of its bases in `tfopt.core.config` first."""
    inherited = [key for base in node.bases if isinstance(base, ast.Name) for key in _keys_of_config(base.id, tree)]
    own = [
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and not ast.unparse(item.annotation).startswith("ClassVar")
    ]
    return list(dict.fromkeys([*inherited, *own]))


def _keys_of_config(name: str, tree: ast.Module) -> list[str]:
    """Keys of a base class that a module imports from `tfopt.core.config`; none where it comes from other rooms."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules = [node.module or "" for node in imports if any((one.asname or one.name) == name for one in node.names)]
    keys: list[str] = []
    for module in modules:
        if module.startswith("tfopt.core.config."):
            file = _ROOT.joinpath(*module.split(".")).with_suffix(".py")
            config = syntax_tree(file.read_text(encoding="utf-8"), str(file))
            classes = [item for item in config.body if isinstance(item, ast.ClassDef) and item.name == name]
            keys += [key for cls in classes for key in _keys(cls, config)]
    return keys
