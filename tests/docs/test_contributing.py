"""The worked examples of CONTRIBUTING.md: their files are put into a copy of the repository, their commands are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

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
    for part in ("tfopt", "tests/support", "recipes"):
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


def test_the_files_of_the_examples_are_accepted_and_their_commands_work(clone: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{clone}{os.pathsep}{tmp_path}", "TF_CPP_MIN_LOG_LEVEL": "3"}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    commands = COMMAND.findall(PAGE)
    suites = [command.split()[-1] for command in commands if command.startswith("python -m pytest")]
    assert suites
    run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *suites)
    for command in commands:
        program, *arguments = command.split()
        if program == "pip":
            install(clone / arguments[-1], tmp_path)
        elif program == "tfopt":
            shown = run("-m", "tfopt", *arguments)
            if arguments[0] == "run":
                assert "claims held" in shown or "claim held" in shown, shown
    assert " [cellar]" in run("-m", "tfopt", "ls", "datasets")


def test_the_examples_touch_what_the_table_of_architecture_names() -> None:
    table = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## The life of a run")[0]
    named = {re.sub(r"<\w+>", "*", path) for path in re.findall(r"`(tfopt/[^`]+)`", table)}
    touched = {name for name, *_ in FILE.findall(PAGE) if name.startswith("tfopt/")}
    assert touched
    for name in touched:
        folder = name.rpartition("/")[0]
        assert name in named or f"{folder}/*.py" in named, name
