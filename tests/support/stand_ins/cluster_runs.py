"""Stands in for `tfopt.api:run` on the nodes of a cluster: stages take a while, and resume from a checkpoint."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.stand_ins.sweep_fakes import trial_report
from tfopt.core.contracts.events import Emit
from tfopt.core.recipe.recipe import Recipe
from tfopt.engine.sweep import stage_chain
from tfopt.io.recipes.recipe_file import dump_recipe
from tfopt.io.runs.runs import new_run_folder
from tfopt.io.store.locks import key_lock
from tfopt.io.system.files import write_atomically

EPOCHS = 6


def run(recipe: Recipe, *, out: str | Path, store: str | None, fresh: bool, on_event: Emit) -> None:
    """Carries out a recipe; writes down every epoch that is trained, and by which process."""
    root = Path(out)
    folder = new_run_folder(root, recipe.name)
    write_atomically(folder / "recipe.yaml", dump_recipe(recipe))
    report = trial_report(recipe, folder.name)
    stages = [stage.name for stage in recipe.stages]
    on_event({"event": "run_started", "run": folder.name, "recipe": recipe.name, "stages": stages, "exports": ["int8"]})
    for stage, key in zip(report.stages, stage_chain(recipe), strict=True):
        checkpoint = root / ".store" / f"{key}.epochs"
        with key_lock(root / ".store", key):
            done = len(checkpoint.read_text().splitlines()) if checkpoint.exists() else 0
            for epoch in range(done, EPOCHS):
                time.sleep(0.4)
                with checkpoint.open("a", encoding="utf-8") as file:
                    file.write(f"{epoch}\n")
                on_event({"event": "epoch", "stage": stage.name, "cached": False, **stage.history[epoch]})
            if done < EPOCHS:
                with (root / "built.log").open("a", encoding="utf-8") as log:
                    log.write(f"{key} {os.getpid()}\n")
        on_event({"event": "stage_finished", "stage": stage.name, "seconds": stage.seconds,
                  "measures": stage.measures, "cached": done == EPOCHS})  # fmt: skip
    write_atomically(folder / "report.json", report.model_dump_json(by_alias=True))
    on_event({"event": "run_finished", "state": "done", "seconds": 1.0, "held": True})
