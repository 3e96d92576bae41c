"""The worked examples of CONTRIBUTING.md: their files are put into a copy of the repository, their commands are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.root import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.tf

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(
    r"^\*\*`([^`]+)`\*\*(?:, (after|before) the line `([^`]+)`)?\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
SECONDS = 900
OF_MODES = (
    "tests/core/config/files/test_algorithms.py",
    "tests/core/config/test_quantization_modes.py::test_every_mode_has_claims_about_its_weights_that_can_break",
)
"""Tests of the table of modes, which a new row has to pass."""
PROVEN_TWICE = (
    "tfopt run recipes/digits_clip.yaml",
    "tfopt run recipes/wine.yaml",
    "python -m pytest tests/backend/pruning/criteria/test_saliency.py",
)
"""CI proves each example once: the first two by their tests, the third by its recipe."""


def place(folder: Path) -> list[str]:
    """Puts the files and lines of the page where it says; returns their paths."""
    for name, side, line, text in FILE.findall(PAGE):
        path = folder / name
        if not side:
            path.parent.mkdir(parents=True, exist_ok=True)
            assert not path.exists(), f"{name} exists already"
            path.write_text(text, encoding="utf-8")
            continue
        content = path.read_text(encoding="utf-8")
        assert content.count(f"\n{line}\n") == 1, f"{name} has no such line, or several: {line}"
        together = f"{line}\n{text}" if side == "after" else f"{text}{line}\n"
        path.write_text(content.replace(f"{line}\n", together), encoding="utf-8")
    return [name for name, *_ in FILE.findall(PAGE)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the files of the page."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ("tfopt", "tests/support", "tests/core/config", "recipes"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("tests/__init__.py", "tests/conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / part, folder / part)
    place(folder)
    return folder


def install(package: Path, site: Path) -> None:
    """Does what `pip install` does with a package of one file: without a network, and not for everybody."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copy(package / f"{project['name']}.py", site)
    metadata = site / f"{project['name']}-{project['version']}.dist-info"
    metadata.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines.append(f"Summary: {project['description']}")
    (metadata / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
        for group, points in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")


@pytest.mark.parametrize("part", ["most", pytest.param("all", marks=pytest.mark.slow)])
def test_the_files_of_the_examples_are_accepted_and_their_commands_work(part: str, clone: Path, tmp_path: Path) -> None:
    commands = [command for command in COMMAND.findall(PAGE) if command.split()[0] in ("python", "pip", "tfopt")]
    if part == "most":
        assert all(command in commands for command in PROVEN_TWICE)
        commands = [command for command in commands if command not in PROVEN_TWICE]
    for command in commands:
        if command.startswith("pip install "):
            install(clone / command.split()[-1], tmp_path)
    verbs = [command.split()[1:] for command in commands if command.startswith("tfopt ")]
    # One process for all: each would load TensorFlow again.
    (clone / "tests" / "test_commands.py").write_text(COMMANDS_TEST.format(verbs=verbs), encoding="utf-8")
    suites = [command.split()[-1] for command in commands if command.startswith("python -m pytest ")]
    assert suites
    assert verbs
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites, *OF_MODES, "tests/test_commands.py"],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": f"{clone}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


COMMANDS_TEST = """
import pytest
from click.testing import CliRunner

from tfopt.cli.main import main

VERBS = {verbs!r}


@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_the_command_works(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert arguments[0] != "run" or "held" in result.output
    assert arguments != ["ls", "datasets"] or "[cellar]" in result.output
"""


def test_the_examples_touch_what_the_table_of_architecture_names() -> None:
    table = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## The life of a run")[0]
    named = {re.sub(r"<\w+>", "*", path) for path in re.findall(r"`(tfopt/[^`]+)`", table)}
    touched = {name for name, *_ in FILE.findall(PAGE) if name.startswith("tfopt/")}
    assert touched
    for name in touched:
        folder = name.rpartition("/")[0]
        assert name in named or f"{folder}/*.py" in named, name
