"""The edge: verbs are found, errors are printed once, exit codes are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

import tfopt as package
from tfopt import errors
from tfopt.cli.main import VERBS
from tfopt.errors import Problem, RecipeError, TfoptError, Where

Tfopt = Callable[..., Result]
Mocked = Callable[[str, Any], list[Any]]
LINE = "      schedule: {kind: polynomial, final: 120%}"
PROBLEM = Problem(
    ("stages", 1, "prune", "schedule", "final"),
    "prune.schedule.final must be below 100%. Got 120%",
    "(write 80% for four zeros in five).",
    where=Where("recipes/lenet.yaml", 14, 43, LINE),
    code="out_of_range",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(tfopt: Tfopt, verb: str) -> None:
    result = tfopt(verb, "--help")
    assert result.exit_code == 0
    assert f"tfopt {verb}" in result.output.split("Examples:")[1]
    assert "--json" in result.output
    assert "--debug" in result.output


def test_help_lists_the_verbs_with_one_whole_sentence_each(tfopt: Tfopt) -> None:
    result = tfopt("--help")
    assert result.exit_code == 0
    assert all(f"\n  {verb} " in result.output for verb in VERBS)
    assert "...\n" not in result.output.split("Commands:")[1].split("Examples:")[0]


def test_version(tfopt: Tfopt) -> None:
    assert tfopt("--version").output == f"tfopt {package.__version__}\n"


@pytest.mark.parametrize(("verb", "advice"), [("rum", "Did you mean 'run'?"), ("xyz", "Verbs: init, ls, validate")])
def test_an_unknown_verb_is_a_usage_error_with_advice(tfopt: Tfopt, verb: str, advice: str) -> None:
    result = tfopt(verb)
    assert result.exit_code == 2
    assert advice in result.stderr


def test_an_unknown_option_is_a_usage_error(tfopt: Tfopt) -> None:
    assert tfopt("run", "a.yaml", "--frsh").exit_code == 2


def test_a_mistake_is_shown_with_its_line_and_a_caret_below_it(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RecipeError([PROBLEM]))
    result = tfopt("run", "recipes/lenet.yaml")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"recipes/lenet.yaml:14:43: {PROBLEM.message} {PROBLEM.hint}",
        f"  14 | {LINE}",
        "     | " + " " * 42 + "^",
    ]
    assert LINE[42:46] == "120%"


def test_all_mistakes_are_shown_at_once(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RecipeError([PROBLEM, Problem((), "The recipe has no key 'name'.", code="missing_key")]))
    result = tfopt("plan", "a.yaml")
    assert "The recipe has no key 'name'." in result.stderr
    assert result.stderr.splitlines()[-1] == "2 mistakes; nothing was run."


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError("The file is there already.", "Choose another.", code="file_exists"),
        errors.EnvironmentProblem("tf-keras is missing.", "pip install tf-keras", code="missing_package"),
        errors.StageError(
            "prune: the loss is not a number after step 12.", "Lower the learning rate.", code="loss_not_finite"
        ),
        errors.ExportError("The disk is full.", code="cannot_write"),
        errors.StoreError("The store cannot be written.", code="cannot_write"),
    ],
)
def test_an_error_owns_its_exit_code(tfopt: Tfopt, mocked: Mocked, error: TfoptError) -> None:
    mocked("load", error)
    result = tfopt("run", "a.yaml")
    assert result.exit_code == error.exit_code
    assert result.stderr == f"Error: {error.message} {error.hint}".rstrip() + "\n"


def test_with_json_an_error_is_a_document_too(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RecipeError([PROBLEM]))
    result = tfopt("run", "a.yaml", "--json")
    assert result.exit_code == 3
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["code"], error["exit_code"]) == ("RecipeError", "invalid_recipe", 3)
    assert error["problems"][0]["path"] == ["stages", 1, "prune", "schedule", "final"]
    assert error["problems"][0]["where"]["column"] == 43


def test_a_bug_is_said_to_be_one_without_a_traceback(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", KeyError("layers"))
    result = tfopt("run", "a.yaml")
    assert result.exit_code == 1
    assert "tfopt has a bug: KeyError: 'layers'" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [("--debug", "run", "a.yaml"), ("run", "a.yaml", "--debug")])
def test_debug_shows_the_traceback_wherever_it_is_written(
    tfopt: Tfopt, mocked: Mocked, arguments: tuple[str, ...]
) -> None:
    mocked("load", KeyError("layers"))
    result = tfopt(*arguments)
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_an_interrupt_has_its_own_exit_code(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", KeyboardInterrupt())
    result = tfopt("plan", "a.yaml")
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr


def test_what_user_code_prints_never_reaches_a_document(tfopt: Tfopt, mocked: Mocked) -> None:
    def chatty(*arguments: Any) -> dict[str, Any]:
        print("loading my data")
        return {"type": "object"}

    mocked("schema", chatty)
    result = tfopt("schema", "--json")
    assert json.loads(result.stdout) == {"type": "object"}
    assert "loading my data" in result.stderr


def test_a_bug_in_drawing_the_answer_is_said_to_be_one(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("list_names", {"models": [object()]})
    result = tfopt("ls")
    assert result.exit_code == 1
    assert "tfopt has a bug: AttributeError" in result.stderr
    result = tfopt("ls", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["kind"] == "TypeError"
