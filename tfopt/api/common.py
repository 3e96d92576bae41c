"""What the functions of several files share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.api.recipes import load

if TYPE_CHECKING:
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.io.store.store import Store

DEFAULT_OUT = "saved_models"
"""Default folder of runs and the store, relative to the current folder."""


def loaded(recipe: Recipe | str | Path) -> Recipe:
    """A recipe, or the one of a path."""
    return load(recipe) if isinstance(recipe, (str, Path)) else recipe


def opened_store(out: str | Path, url: str | None) -> Store:
    """The store below a folder, with the shared one at a URL where there is one."""
    from tfopt.io.store.remote import RemoteStore
    from tfopt.io.store.store import Store

    return Store(Path(out) / ".store", None if url is None else RemoteStore(url))


def draw(folder: Path, recipe_text: str) -> None:
    """Draws the page of a run from its report.json, where there is one."""
    from tfopt.io.runs.runs import read_run
    from tfopt.report.run.html import write_html

    if (folder / "report.json").is_file():
        write_html(read_run(folder, folder.parent).report, recipe_text, folder)
