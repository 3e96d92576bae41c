"""Every notebook runs from its first cell to its last, and what is committed of it is fit to be read by strangers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.support.root import REPOSITORY

FOLDER = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
SMALLER = {
    "02_compare_sparsity_schedules.ipynb": 'KINDS = ["polynomial", "one_shot"]\nFINALS = ["80%"]\nSEEDS = 2',
    "04_language_model_to_phone.ipynb": "CHARACTERS = 12_000\nEPOCHS = 1",
}
"""Parameters of the notebooks that would take minutes."""
IN_CI = {"01_first_recipe.ipynb"}
"""The others are slow; sweeps, files for phones and text generation are proven by tests of their own."""
SECONDS = 600


@pytest.fixture(scope="module")
def workspace(first_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what notebooks need; they share one store, as they do for a reader who has run the first recipe."""
    root = tmp_path_factory.mktemp("workspace")
    shutil.copytree(REPOSITORY / "recipes", root / "recipes")
    shutil.copytree(FOLDER, root / "notebooks")
    recipe = root / "recipes" / "digits_prune_qat.yaml"
    # Other notebooks than the first name the files that they need.
    less = re.sub(r"  (saved_model|keras|  float16|  dynamic): .*\n", "", recipe.read_text(encoding="utf-8"))
    recipe.write_text(less, encoding="utf-8")
    shutil.copytree(first_out, root / "saved_models", symlinks=True)
    return root


def with_parameters(notebook: NotebookNode, source: str) -> NotebookNode:
    """The notebook with its parameters cell replaced, by the same names."""
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assigned = r"^(\w+) = "
    assert re.findall(assigned, source, re.MULTILINE) == re.findall(assigned, cell.source, re.MULTILINE)
    cell.source = source
    return notebook


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook after all cells have run, started in a folder."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        # One text may arrive in two pieces on a busy machine.
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def outputs(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    return [(cell.source, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.tf
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_CI else pytest.mark.slow) for name in NOTEBOOKS]
)
def test_a_notebook_runs_without_an_error_or_a_word_on_stderr(
    name: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(workspace / "notebooks" / name, as_version=4)
    if name in SMALLER:
        notebook = with_parameters(notebook, SMALLER[name])
    # Readers start Jupyter beside the notebooks or at the top of the repository: both must do.
    folder = workspace if name.startswith("03") else workspace / "notebooks"
    found = outputs(executed(notebook, folder))
    said = [(source, output.text) for source, output in found if output.get("name") == "stderr"]
    assert said == []
    before = nbformat.read(FOLDER / name, as_version=4)
    assert [kinds(output) for _, output in found] == [kinds(output) for _, output in outputs(before)]
    assert (workspace / "saved_models" / ".store").is_dir()


def kinds(output: NotebookNode) -> list[str]:
    """In which formats an output is shown."""
    return sorted(output.get("data", {"stream": ""}))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_was_run_from_top_to_bottom(name: str) -> None:
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for _, output in outputs(notebook) if output.get("name") == "stderr"]
    assert not [output for _, output in outputs(notebook) if output.output_type == "error"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_tells_nothing_of_the_machine_and_is_small(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert not re.findall(r"/(?:home|Users|tmp|work|root|opt)/", text)
    assert len(text) < 500_000


def test_there_are_notebooks() -> None:
    assert [name[:2] for name in NOTEBOOKS] == ["01", "02", "03", "04"]
