"""`tfopt validate`: every mistake of a recipe at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tfopt.cli.errors import problem_text
from tfopt.cli.options import common
from tfopt.cli.session import Answer, Terminal
from tfopt.core.language.wording import counted
from tfopt.errors import RecipeError

if TYPE_CHECKING:
    from tfopt.results import ValidationResult


@click.command(
    name="validate",
    short_help="Report every mistake in recipes at once.",
    epilog="""\b
Examples:
  tfopt validate recipe.yaml
  tfopt validate recipes/*.yaml --json

Exit code 3 when any recipe has a mistake.
""",
)
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...")
@common
def command(recipes: tuple[str, ...]) -> Answer:
    """Report every mistake in recipes, each with file:line:column, without running anything.

    Also reports which of your code a recipe would import: a recipe is data unless it names package.module:function.
    """
    from tfopt import api

    checked = api.validate(recipes)
    wrong = any(recipe.problems for recipe in checked)

    def text(terminal: Terminal) -> Iterator[str]:
        for recipe in checked:
            yield from _lines(recipe)

    return Answer(lambda: checked, text, RecipeError.exit_code if wrong else 0)


def _lines(recipe: ValidationResult) -> Iterator[str]:
    for problem in recipe.problems:
        yield problem_text(problem)
    if recipe.problems:
        number = len(recipe.problems)
        yield f"{recipe.path}: {counted(number, 'mistake')}"
    else:
        yield f"{recipe.path}: ok"
    for code in recipe.code:
        yield f"{recipe.path}: would import {code}"
