"""The workbench must not tax its user: light verbs load nothing heavy. Judged by what is loaded, never by the clock."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.root import REPOSITORY
from tfopt.cli.main import VERBS

HEAVY = {
    "PIL", "ai_edge_litert", "jinja2", "keras", "matplotlib", "numpy", "sklearn", "tensorflow",
    "tensorflow_model_optimization", "tf_keras",
}  # fmt: skip
SCRIPT = """
import json, sys
from tfopt.cli.main import main
loaded = []
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments, prog_name="tfopt")
    except SystemExit as stop:
        loaded.append([stop.code, sorted(sys.modules)])
print(json.dumps(loaded), file=sys.stderr)
"""


def loaded_after(*calls: tuple[str, ...]) -> list[set[str]]:
    """Modules and top-level packages in memory after each of several calls in one process; all must succeed."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(calls)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    answers = json.loads(done.stderr.splitlines()[-1])
    assert [code for code, _ in answers] == [0] * len(calls), done.stderr
    return [{*modules, *(name.partition(".")[0] for name in modules)} for _, modules in answers]


def test_help_loads_neither_rich_nor_pydantic_nor_anything_heavy() -> None:
    (loaded,) = loaded_after(("--help",))
    assert not loaded & {*HEAVY, "rich", "pydantic", "ruamel", "tfopt.api", "tfopt.backend"}


def test_a_verb_loads_no_other_verb() -> None:
    (loaded,) = loaded_after(("ls", "--help"))
    assert loaded & {f"tfopt.cli.{verb}" for verb in VERBS} == {"tfopt.cli.ls"}


def test_light_verbs_load_nothing_heavy() -> None:
    calls = [
        *((verb, "--help") for verb in VERBS),
        ("ls",),
        ("ls", "--json"),
        ("schema",),
        ("schema", "--report"),
        ("validate", "recipes/digits_prune_qat.yaml"),
    ]
    for call, loaded in zip(calls, loaded_after(*calls), strict=True):
        assert not loaded & HEAVY, call
        assert "tfopt.backend.models.build" not in loaded, call


def test_listing_loads_no_recipe_language() -> None:
    (loaded,) = loaded_after(("ls",))
    assert not loaded & {"tfopt.core.recipe.recipe", "tfopt.core.contracts.stage", "tfopt.core.records.report"}


def test_validating_loads_only_what_the_recipe_names() -> None:
    (loaded,) = loaded_after(("validate", "recipes/digits_prune_qat.yaml"))
    assert {"tfopt.stages.prune", "tfopt.export.tflite"} <= loaded
    assert not loaded & {"tfopt.stages.ensemble", "tfopt.stages.cluster", "tfopt.backend"}
    assert not loaded & {"tfopt.core.records.report", "tfopt.io.store.store", "tfopt.core.language.problems"}
    assert not loaded & {
        "tfopt.core.contracts.preflight",
        "tfopt.core.contracts.result",
        "tfopt.core.config.clustering",
    }


def test_no_validator_is_built_before_a_recipe_is_read() -> None:
    """Defaults that are blocks are made by `model_construct`; only blocks that several others contain are built."""
    script = """
from tfopt.catalog.catalog import catalog
from tfopt.core.language.block import Block, SharedBlock
classes = [*catalog().stages.values(), *catalog().exports.values()]

def below(block):
    return [block, *(found for child in block.__subclasses__() for found in below(child))]

shared = set(below(SharedBlock))
built = {block.__name__ for block in below(Block) if block not in shared and block.__pydantic_complete__}
assert classes and not built, built
"""
    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True, timeout=60)


def test_the_process_of_a_light_verb_loads_no_logging() -> None:
    script = """
import sys
sys.argv = ["tfopt", "ls", "stages"]
from tfopt.cli.entry import run
try:
    run()
finally:
    assert "logging" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_validate_reads_no_docstring_of_a_key() -> None:
    """Pydantic reads the source of every class for `use_attribute_docstrings`; only schema and messages need them."""
    script = """
import ast
parse = ast.parse
ast.parse = lambda *arguments, **options: parsed.append(options.get("filename")) or parse(*arguments, **options)
parsed = []
from tfopt import api
(found,) = api.validate(["recipes/digits_prune_qat.yaml"])
assert found.problems == ()
assert not [name for name in parsed if name and ("core/config" in name or "contracts" in name)], parsed
import inspect
assert not any("tfopt/core/config" in name for name in __import__("linecache").cache)
"""
    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True, timeout=60)


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "tfopt", "--version"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("tfopt ")
