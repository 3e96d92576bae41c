"""A run from a recipe to its folder: reuse a finished one, resume an unfinished one, or begin a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfopt.core.contracts.events import Emit, RunReused
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.run import Run
from tfopt.engine import distribution
from tfopt.io.recipes.recipe_file import dump_recipe
from tfopt.io.runs import reuse, runs
from tfopt.io.store.locks import sole_user
from tfopt.io.store.store import Store
from tfopt.io.system.files import write_atomically


def launch(
    recipe: Recipe,
    root: Path,
    open_store: Callable[[], Store],
    draw: Callable[[Path, str], None],
    *,
    fresh: bool = False,
    on_event: Emit | None = None,
) -> Run:
    """Carries out `tfopt.run`; TensorFlow is imported only where something has to be run.

    Args:
        recipe: what to run.
        root: folder of the runs.
        open_store: opens the store; a shared one is contacted only where something has to be run.
        draw: draws the page of a run folder; receives the folder and the recipe as YAML.
        fresh: run every stage again.
        on_event: receives what happens.

    Raises:
        TfoptError: as `tfopt.run`.
    """
    text, same_recipe, same_run = dump_recipe(recipe), reuse.recipe_identity(recipe), reuse.run_identity(recipe)
    if not fresh and (before := runs.finished_run(root, recipe.name, same_run)) is not None:
        if on_event is not None:
            on_event(RunReused(before.folder.name))
        draw(before.folder, text)
        runs.point_latest(before.folder)
        return before

    from tfopt.engine.follow import follow
    from tfopt.engine.plan import prepare
    from tfopt.engine.run import execute

    store = open_store()
    store.check_writable()
    distribution.start(recipe)
    prepared = prepare(recipe, store)
    if distribution.follows(recipe):
        return follow(prepared, store, root, on_event)
    if fresh:
        for key in prepared.stage_keys():
            store.remove(key)
    unfinished = None if fresh else runs.unfinished_run(root, recipe.name, same_recipe)
    folder = unfinished or runs.new_run_folder(root, recipe.name)
    with sole_user(folder, f"Run {recipe.name}/{folder.name}"):
        write_atomically(folder / "recipe.yaml", text)
        runs.begin(folder, same_recipe, same_run)
        distribution.announce(folder.name)
        try:
            finished = execute(prepared, store, folder, on_event)
        finally:
            draw(folder, text)
            distribution.announce(distribution.ENDED)
        runs.close(folder)
        runs.point_latest(folder)
    return finished
