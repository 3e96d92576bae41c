"""One run on a machine of a cluster: its events arrive here, all machines see its folder."""

from __future__ import annotations

from pathlib import Path

from tfopt.core.contracts.events import Emit, Event, Warned
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.run import Run
from tfopt.errors import EnvironmentProblem, Problem, RecipeError, StageError, StoreError, TfoptError, UsageError
from tfopt.executors.base import Executor, Job
from tfopt.io.runs.runs import read_run

PATIENCE = 1.0
"""Seconds to wait for a message before looking whether the run is still alive."""


def execute_on_cluster(
    recipe: Recipe,
    executor: Executor,
    root: Path,
    function: str,
    *,
    store: str | None = None,
    fresh: bool = False,
    on_event: Emit | None = None,
) -> Run:
    """Carries out a recipe by an executor; a node that is lost costs the epoch under way, with `fresh` all of the run.

    Args:
        recipe: what to run.
        executor: where it runs; closed at the end.
        root: folder of the runs and the store; all machines see it under this path.
        function: `package.module:function` that carries out one recipe (`tfopt.api:run`).
        store: URL of a shared store.
        fresh: run every stage again.
        on_event: receives what happens.

    Raises:
        TfoptError: the run failed; of the kind and with the code of its error, a StageError where that is not known.
        KeyboardInterrupt: Ctrl-C; the run has been stopped. A second one does not wait for that.
    """
    job = Job(recipe.name, function, recipe.to_document(), recipe.folder, str(root.resolve()), store, fresh)
    emit = on_event if on_event is not None else lambda event: None
    folder: str | None = None
    stopping = False
    try:
        executor.start(job)
        while True:
            try:
                message = executor.next_message(PATIENCE)
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                executor.stop(job.trial)
                continue
            if message is None:
                continue
            event = message.event
            if event["event"] in ("run_started", "run_reused"):
                folder = event["run"]
            if event["event"] != "trial_ended":
                emit(event)
                continue
            if event["state"] == "lost" and not stopping:
                again = "starts from its beginning" if fresh else "resumes"
                emit(Warned(f"{event['error']} The run {again} on another."))
                executor.start(job)
            elif event["state"] == "done" and folder is not None:
                return read_run(root / recipe.name / folder, root)
            elif stopping or event["state"] == "stopped":
                raise KeyboardInterrupt
            else:
                raise _as_it_was(event)
    finally:
        executor.close()


def _as_it_was(event: Event) -> TfoptError:
    """The error of a run on another machine, in the class of its exit code."""
    text, code = event["error"], event["code"]
    if event.get("exit_code") == RecipeError.exit_code:
        return RecipeError([Problem((), line, code=code) for line in text.splitlines()])
    kinds: tuple[type[TfoptError], ...] = (UsageError, EnvironmentProblem, StoreError)
    kind = next((kind for kind in kinds if kind.exit_code == event.get("exit_code")), StageError)
    return kind(text, code=code)
