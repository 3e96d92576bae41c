"""Every command that the README and docs/commands.md show is run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support import generative
from tests.support.root import REPOSITORY
from tfopt.cli.main import main
from tfopt.core.records.run import Run
from tfopt.engine import sweep
from tfopt.engine.sweep import execute_sweep

pytestmark = pytest.mark.tf

PAGES = [(REPOSITORY / page).read_text(encoding="utf-8") for page in ("README.md", "docs/commands.md")]
LINES = "\n".join(PAGES).replace("\\\n", " ")
COMMANDS = list(dict.fromkeys(re.findall(r"^\$ tfopt (.+)$", LINES, re.MULTILINE)))
SHORTER = {
    "run recipes/digits_prune_qat.yaml --set": [
        "--set",
        "export={tflite: {float32: {}, int8: {quantize: int8, io: uint8}}}",
    ],
    "sweep": ["--out", "swept"],
    "compare": ["--out", "swept"],
    "generate": ["--prompt", "abc"],
}
"""What makes a command short enough for a test, by its beginning: everything else is as on the page.

The trials of the sweep train nothing: `test_sweep.py` has trials that do.
"""


@pytest.fixture(scope="module")
def folder(first_run: Run, first_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a clone's, with the demo run in it, and stand-ins of two language models."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "recipes").symlink_to(REPOSITORY / "recipes")
    (folder / "saved_models").mkdir()
    for child in first_out.iterdir():
        (folder / "saved_models" / child.name).symlink_to(child)
    language_model(
        first_run, folder / "saved_models" / "shakespeare-gpt", int8=generative.LARGE, float32=generative.LARGE
    )
    language_model(first_run, folder / "saved_models" / "shakespeare-lstm", int8=generative.DRAFT)
    return folder


def language_model(run: Run, target: Path, **files: Path) -> None:
    """Writes a run whose exports are tiny generative files: those of the page take minutes to train."""
    folder = target / run.folder.name
    (folder / "export").mkdir(parents=True)
    (target / "latest").symlink_to(folder.name)
    report = json.loads((run.folder / "report.json").read_text(encoding="utf-8"))
    record = next(each for each in report["exports"] if each["path"].endswith(".tflite"))
    report["exports"] = [
        {**record, "name": f"generate_{name}", "path": f"export/generate_{name}.tflite"} for name in files
    ]
    report["run"]["recipe"] = target.name
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    shutil.copy(generative.TOKENIZER, folder / "export")
    for name, file in files.items():
        shutil.copy(file, folder / "export" / f"generate_{name}.tflite")


def test_there_is_an_example_for_every_verb() -> None:
    from tfopt.cli.main import VERBS

    assert {command.split()[0] for command in COMMANDS} == set(VERBS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_works(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def execute_fakes(expansion: Any, executor: Any, place: Path, function: str, **keys: Any) -> Any:
        return execute_sweep(expansion, executor, place, "tests.support.stand_ins.sweep_fakes:run", **keys)

    monkeypatch.setattr(sweep, "execute_sweep", execute_fakes)
    monkeypatch.chdir(folder)
    arguments = shlex.split(command.split(" > ")[0])
    shorter = next((more for beginning, more in SHORTER.items() if command.startswith(beginning)), [])
    result = CliRunner().invoke(main, arguments + shorter)
    assert result.exit_code == 0, result.output
    assert "Traceback" not in result.output
