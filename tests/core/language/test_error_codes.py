"""Each place that raises an error, or makes a problem, names a code of the one table."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.root import REPOSITORY
from tfopt.core.language.error_codes import CODES
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import ExportError, Problem, RecipeError, Where

FILES = sorted((REPOSITORY / "tfopt").rglob("*.py"))
CARRIERS = {"Problem", "Mistake", "KeyMistake"}
PASSED_ON = re.compile(r"code|\w+\.code|\w+\.own_code|code_of\(.*\)|_CODES\[\w+\]")
"""Expressions that hand on a code that was named in a different place."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in FILES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def error_classes() -> set[str]:
    """`TfoptError` and every class below it, by name."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"TfoptError"}
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return found


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call that makes an error, a problem or a mistake, with its place; classes with an `__init__` of their own
    name their code there."""
    own = {"RecipeError", "ProcessCrashed", "ProcessTimedOut", "ProcessFailed"}
    makers = (error_classes() - own) | CARRIERS
    for path, tree in trees():
        inside = {
            id(call): node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            constructor = ast.unparse(node.func) == "super().__init__" and inside.get(id(node)) in own
            if constructor or (isinstance(node.func, ast.Name) and node.func.id in makers):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", node


def test_each_error_problem_and_mistake_names_a_code_of_the_table() -> None:
    wrong, number = [], 0
    for place, call in calls():
        number += 1
        code = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
        if code is None:
            wrong.append(f"{place}: no code")
        elif isinstance(code, ast.Constant):
            wrong += [] if code.value in CODES else [f"{place}: {code.value!r} is not in the table"]
        elif not PASSED_ON.fullmatch(ast.unparse(code)):
            wrong.append(f"{place}: {ast.unparse(code)}")
    assert not wrong, "\n".join(wrong)
    assert number > 300


def test_each_code_of_the_table_is_used() -> None:
    table = REPOSITORY / "tfopt/core/language/error_codes.py"
    used = {
        node.value
        for path, tree in trees()
        if path != table
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not set(CODES) - used


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_snake_case_and_explained(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)
    assert CODES[code].meaning.endswith(".")
    assert CODES[code].fix.endswith(".")


def test_an_error_keeps_its_code_in_another_process() -> None:
    where = Where("a.yaml", 1, 2)
    error = pickle.loads(pickle.dumps(ExportError("It failed.", "Try again.", where, code="conversion_failed")))
    assert (error.message, error.hint, error.where, error.code) == (
        "It failed.",
        "Try again.",
        where,
        "conversion_failed",
    )
    problem = Problem(("seed",), "seed is odd.", code="invalid_value")
    assert pickle.loads(pickle.dumps(RecipeError([problem]))).problems == (problem,)


def test_a_mistake_is_seen_from_outside_with_its_code() -> None:
    mistake = Mistake(("layers", 0), "matches no layer.", code="unknown_layer")
    assert mistake.below("prune") == Mistake(("prune", "layers", 0), "matches no layer.", code="unknown_layer")
