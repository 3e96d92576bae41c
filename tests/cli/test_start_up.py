"""The workbench must not tax its user: light verbs load nothing heavy. Judged by what is loaded, never by the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tfopt.cli.main import VERBS

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "ai_edge_litert", "numpy", "matplotlib",
         "sklearn", "jinja2", "PIL")  # fmt: skip
SCRIPT = """
import json, sys
from tfopt.cli.main import main
try:
    main(sys.argv[1:], prog_name="tfopt")
except SystemExit as stop:
    print(json.dumps({"code": stop.code, "loaded": sorted(sys.modules)}), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    """Top-level packages in memory after a call of the command line, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = json.loads(done.stderr.splitlines()[-1])
    assert said["code"] == 0, done.stderr
    return {name.partition(".")[0] for name in said["loaded"]} | {
        name for name in said["loaded"] if name.startswith("tfopt")
    }


def test_help_loads_neither_rich_nor_pydantic_nor_anything_heavy() -> None:
    assert not loaded_by("--help") & {*HEAVY, "rich", "pydantic", "ruamel", "tfopt.api", "tfopt.backend"}


def test_a_verb_loads_no_other_verb() -> None:
    loaded = loaded_by("ls", "--help")
    assert "tfopt.cli.ls" in loaded
    assert not loaded & ({f"tfopt.cli.{verb}" for verb in VERBS} - {"tfopt.cli.ls"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls",), ("ls", "--json"), ("validate", "recipes/digits_prune_qat.yaml"), ("schema",), ("schema", "--report"),
        *((verb, "--help") for verb in VERBS),
    ],
    ids=" ".join,
)  # fmt: skip
def test_light_verbs_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & {*HEAVY, "tfopt.backend.models"}


def test_the_module_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tfopt", "--version"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("tfopt ")
