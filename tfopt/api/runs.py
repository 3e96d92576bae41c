"""Runs: plan, carry out, show, compare, sweep, free the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tfopt.api.common import DEFAULT_OUT, draw, loaded, opened_store
from tfopt.results import ComparisonResult

if TYPE_CHECKING:
    # Each function imports what it needs: `tfopt ls` must not wait for the recipe language, nor `validate` for reports.
    from tfopt.core.contracts.events import Emit
    from tfopt.core.contracts.resources import Resources
    from tfopt.core.recipe.plan import Plan
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.run import Run
    from tfopt.core.sweeps.record import Sweep
    from tfopt.io.runs.garbage_collection import Collected


def plan(
    recipe: Recipe | str | Path, out: str | Path = DEFAULT_OUT, *, store: str | None = None, trial: bool = True
) -> Plan:
    """What a run would do, and every warning, before anything is trained.

    Args:
        recipe: a recipe, or the path of one.
        out: folder of the store.
        store: URL of a shared store, as in `run`.
        trial: converts the untrained model to see its operators; takes minutes for some large models.

    Raises:
        RecipeError: the recipe cannot work with its data and model.
        StageError: data or model cannot be loaded.
        StoreError: the shared store cannot be reached.
        EnvironmentProblem: a package for the shared store is missing.
    """
    from tfopt.engine.plan import prepare
    from tfopt.engine.trial import with_trial_files

    prepared = prepare(loaded(recipe), opened_store(out, store))
    return with_trial_files(prepared) if trial else prepared.plan


def run(
    recipe: Recipe | str | Path,
    *,
    out: str | Path = DEFAULT_OUT,
    store: str | None = None,
    fresh: bool = False,
    executor: Literal["here", "ray"] = "here",
    resources: Resources | None = None,
    on_event: Emit | None = None,
) -> Run:
    """Executes a recipe: trains, optimizes, exports, proves, reports.

    A run that was killed or interrupted resumes in its own folder, from the last checkpoint. Where nothing has changed
    since a finished run, that run is given back, and only its page is drawn again.

    Args:
        recipe: a recipe, or the path of one.
        out: where the run folder and the store go.
        store: URL of a store that machines share, anything fsspec can reach: `s3://bucket/folder`, `file:///mnt/x`. The
            store in `out` is then its cache: stages that only the shared one has are fetched, all others are uploaded.
            Credentials come from fsspec's configuration. Share with those you trust: a stored model can carry code.
        fresh: run every stage again instead of taking finished ones from the store, and replace them there; also those
            that make external models.
        executor: `here`, or `ray`: on a node of the cluster that RAY_ADDRESS names, which sees `out` and the recipe's
            folder under the same paths. Where the node is lost, the run resumes on another.
        resources: processors and GPUs that the run asks of the cluster, and how often it starts again.
        on_event: receives what happens, as it happens (see `tfopt.core.contracts.events`).

    Returns:
        The finished run; `run.ok` is whether every claim held and every budget was met.

    Raises:
        RecipeError: the recipe cannot be run.
        UsageError: there is no such executor, or resources without a cluster.
        StageError: a stage or an export failed; finished stages stay in the store. Or no node of the cluster has the
            resources.
        StoreError: the output folder or the shared store cannot be read or written.
        EnvironmentProblem: a package for the shared store is missing.
        KeyboardInterrupt: Ctrl-C; the run folder records it.
    """
    if executor != "here" or resources is not None:
        from tfopt.engine.on_cluster import execute_on_cluster
        from tfopt.executors.start import start_executor

        asked = loaded(recipe)
        opened_store(out, store).check_writable()
        where = start_executor("local" if executor == "here" else executor, 1, 1, Path(out), resources)
        return execute_on_cluster(asked, where, Path(out), "tfopt.api:run", store=store, fresh=fresh, on_event=on_event)

    from tfopt.engine.launch import launch

    return launch(loaded(recipe), Path(out), lambda: opened_store(out, store), draw, fresh=fresh, on_event=on_event)


def gc(
    out: str | Path = DEFAULT_OUT, *, keep_last: int | None = None, max_size: int | None = None, dry_run: bool = False
) -> Collected:
    """Frees the store of what no kept run needs; a shared store at a URL is left alone.

    Args:
        out: folder of the runs and the store.
        keep_last: how many runs of each recipe to keep; all by default.
        max_size: remove entries only until the store takes no more bytes than this, the oldest first.
        dry_run: only report what would be removed.

    Raises:
        StoreError: something cannot be read or removed.
    """
    from tfopt.io.runs.garbage_collection import collect

    return collect(Path(out), keep_last=keep_last, max_size=max_size, dry_run=dry_run)


def show(run: str | Path, out: str | Path = DEFAULT_OUT) -> Run:
    """A run of the past: a run folder, `<recipe>` for its latest run, or `<recipe>/<run-id>`.

    Raises:
        StoreError: there is no such run.
    """
    from tfopt.io.runs.runs import read_run

    return read_run(run, Path(out))


def sweep(
    recipe: Recipe | str | Path,
    axes: Sequence[str | Mapping[str, object]] = (),
    *,
    seeds: int | str | Sequence[int] | None = None,
    max_trials: int | None = None,
    jobs: int | None = None,
    stop_trials: bool = False,
    executor: Literal["local", "ray"] = "local",
    resources: Resources | None = None,
    out: str | Path = DEFAULT_OUT,
    store: str | None = None,
    on_event: Emit | None = None,
) -> Sweep:
    """Runs variants of a recipe side by side; they share the store, so what they have in common is trained once.

    The same call resumes where an earlier one stopped: finished trials are not run again.

    Args:
        recipe: a recipe, or the path of one; what is not given here is taken from its `sweep:` block.
        axes: `"stages.prune.schedule.kind=polynomial,constant"`, or mappings from path to values.
        seeds: how many seeds from the recipe's own on, or which; texts as on the command line (`3`, `1,5,9`).
        max_trials: run only the first trials.
        jobs: trials side by side; by default one per processor, at most 8 on this machine.
        stop_trials: stop trials by the median rule (see `tfopt.core.sweeps.median_rule`).
        executor: `local` processes, or `ray` (RAY_ADDRESS names the cluster).
        resources: what each trial asks of the cluster, where trials go, and how often one starts again because its
            node was lost (`tfopt.core.contracts.resources.Resources`).
        out: where the run folders and the store go.
        store: URL of a shared store, as in `run`; all trials get it.
        on_event: receives what happens (see `tfopt.engine.sweep`).

    Returns:
        The sweep with its runs; failed trials are in its record.

    Raises:
        RecipeError: with every mistake of every trial, before anything is run.
        UsageError: there is nothing to vary.
        EnvironmentProblem: a package for the executor or the shared store is missing.
        StageError: the cluster cannot be reached, or none of its nodes has the resources.
        StoreError: the output folder or the shared store cannot be written.
        KeyboardInterrupt: Ctrl-C; the workers have been stopped.
    """
    from tfopt.core.sweeps.expand import expand
    from tfopt.engine.sweep import execute_sweep
    from tfopt.executors.start import start_executor
    from tfopt.io.recipes.axes import with_sweep
    from tfopt.io.runs.sweeps import sweep_folder

    asked = with_sweep(loaded(recipe), axes, seeds, max_trials)
    opened_store(out, store).check_writable()
    expansion = expand(asked)
    folder = sweep_folder(Path(out).resolve(), asked.name, expansion.key)
    where = start_executor(executor, jobs, len(expansion.trials), folder, resources)
    return execute_sweep(
        expansion, where, folder, "tfopt.api:run", store=store, stop_trials=stop_trials, on_event=on_event
    )


def compare(*runs: str | Path, export: str | None = None, out: str | Path = DEFAULT_OUT) -> ComparisonResult:
    """Puts runs, or all runs of a sweep, into one table.

    Args:
        runs: folders of runs and sweeps, or their names below `out`: `<recipe>` (its latest sweep, or else its latest
            run), `<recipe>/<run-id>`, `<recipe>/sweeps/<sweep-id>`.
        export: the file to compare; by default the last .tflite that all have.
        out: folder of the runs.

    Returns:
        The table with its verdicts, and the runs behind it.

    Raises:
        UsageError: nothing to compare, or runs that cannot be compared.
        StoreError: there is no such run.
    """
    from tfopt.core.sweeps.comparison import compare as into_table
    from tfopt.io.runs.candidates import read_candidates

    candidates = read_candidates(runs, Path(out))
    return ComparisonResult(into_table(candidates, export), tuple(candidates))
