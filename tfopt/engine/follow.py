"""A worker that trains along: the one that leads decides, writes the store, exports and reports."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tfopt.catalog.own_code import importable
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.events import Emit
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import Stage
from tfopt.core.contracts.types import Model
from tfopt.core.recipe.plan import PlannedStage
from tfopt.core.records.run import Run
from tfopt.engine import distribution
from tfopt.engine.history import StageHistory
from tfopt.engine.prepared import Prepared
from tfopt.engine.run import Execution
from tfopt.errors import StageError
from tfopt.io.runs.runs import read_run
from tfopt.io.store.store import Store

_SECONDS_FOR_FILES = 30.0
"""How long files of another machine may take to show in a shared folder."""


def follow(prepared: Prepared, store: Store, root: Path, on_event: Emit | None) -> Run:
    """Trains along with the worker that leads, to the end of its run.

    Args:
        prepared: the same plan as that of all workers.
        store: the store of all workers.
        root: folder of the runs, which all workers see.
        on_event: receives what happens here; nothing is journaled.

    Returns:
        The run of the worker that leads.

    Raises:
        StageError: the folder is not that of the worker that leads, or that worker has failed or is gone.
    """
    from tfopt.backend.models.precision import float32_globally

    recipe = prepared.plan.recipe
    folder = root / recipe.name / distribution.receive()
    _see(folder)
    with importable(Path(recipe.folder)), float32_globally():
        _Following(prepared, store, folder, on_event or (lambda event: None), folder / "logs").run_stages()
    distribution.receive_end()
    return read_run(folder, root)


@dataclass
class _Following(Execution):
    """An execution that trains, and writes nothing."""

    def stored(self, key: str) -> tuple[Path, dict[str, object]] | None:
        return self._entry(key) if distribution.receive() == "stored" else None

    def alone_with(self, planned: PlannedStage) -> AbstractContextManager[None]:
        return nullcontext()

    def run_stage(
        self, stage: Stage, planned: PlannedStage, position: int, model: Model, traits: frozenset[Trait]
    ) -> Model:
        from tfopt.backend.artifacts import stage_artifacts

        context = self.begin_stage(stage, planned, position, traits, StageHistory(planned.name, self.emit))
        if not distribution.together(stage):
            distribution.receive()
            return stage_artifacts.load(self._entry(planned.key)[0])
        result = distribution.apply(stage, model, context, self.prepared.plan.recipe.distribute)
        distribution.receive()
        return result.model if isinstance(result, StageResult) else result

    def _entry(self, key: str) -> tuple[Path, dict[str, object]]:
        """What the worker that leads has in its store."""
        _see(self.store.folder(key) if self.store.remote is None else self.folder)
        found = self.store.get(key, self.warn)
        if found is None:
            raise _no_shared_folder(self.store.folder(key))
        return found


def _see(folder: Path) -> None:
    """Waits until a folder of the worker that leads shows here."""
    until = time.monotonic() + _SECONDS_FOR_FILES
    while not folder.is_dir():
        if time.monotonic() > until:
            raise _no_shared_folder(folder)
        time.sleep(0.2)


def _no_shared_folder(folder: Path) -> StageError:
    return StageError(
        f"{folder} does not exist here, but the worker that leads has it: the workers do not share a folder.",
        "Give --out a folder that all machines see under the same path.",
        code="no_shared_folder",
    )
