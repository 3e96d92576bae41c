"""Every error a user of tfopt can see.

An error says what happened with the received value, what was expected, and how to fix it. It has a stable `code`
(snake_case, listed in `tfopt/core/language/error_codes.py` and docs/errors.md) and an exit code; catching and printing
happen once, at the edge of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

RecipePath = tuple[str | int, ...]
"""Keys and list positions from the top of a recipe, or of a block: `("stages", 1, "prune", "epochs")`."""


@dataclass(frozen=True)
class Where:
    """A location in a file.

    Args:
        file: path as the user wrote it.
        line: 1-based line.
        column: 1-based column.
        text: the offending line, without its newline.
    """

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class TfoptError(Exception):
    """Base of all errors that tfopt raises on purpose.

    Args:
        message: what happened with the received value, and what was expected.
        hint: how to fix it, as one sentence; empty where the message already says so.
        where: the location in the recipe, if the error has one.
        code: what kind of mistake it is, in snake_case; wording may change, the code does not.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "", where: Where | None = None, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.where = where

    def __reduce__(self) -> tuple[object, ...]:
        # Without it, unpickling (in another process) would call the class with the message alone.
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.hint}" if self.hint else text


def _restored(kind: type[TfoptError], args: tuple[object, ...], state: dict[str, object]) -> TfoptError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(TfoptError):
    """A command or a function was called with unusable arguments."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One mistake in a recipe.

    Args:
        path: keys and list positions from the top of the recipe, e.g. `("stages", 1, "prune", "epochs")`.
        message: what is wrong with the received value, and what was expected.
        hint: how to fix it.
        on_key: the mistake is the key itself, not its value.
        where: the location in the file, once known.
        code: what kind of mistake it is, in snake_case.
    """

    path: RecipePath
    message: str
    hint: str = ""
    on_key: bool = False
    where: Where | None = None
    code: str = field(kw_only=True)

    def at(self, where: Where | None) -> Problem:
        """The same problem with its location in the file."""
        return replace(self, where=where)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.hint}" if self.hint else text


class RecipeError(TfoptError):
    """A recipe cannot be run as written; carries every mistake found, not only the first, each with its code.

    Args:
        problems: all mistakes, in the order of the file.
    """

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), code="invalid_recipe")


class EnvironmentProblem(TfoptError):
    """A package is missing or of a version that cannot work."""

    exit_code = 4


class StageError(TfoptError):
    """A stage could not be carried out (data, model or training failed)."""

    exit_code = 5


class ExportError(StageError):
    """A file could not be written, converted or run."""


class StoreError(TfoptError):
    """The artifact store or a run folder cannot be read or written."""

    exit_code = 6


EXIT_NOT_MET = 7
"""Exit code of a finished run in which a claim is broken or a budget is not met."""

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C."""
