"""What the command line and notebooks call: load, validate, plan, run, show, inspect, bench, doctor.

Everything here is also a name of the package itself: `import tfopt; tfopt.run("recipe.yaml")`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from tfopt.errors import RecipeError, UsageError
from tfopt.results import (
    CatalogEntry,
    ComparisonResult,
    DoctorReport,
    ExplorerFiles,
    Inspection,
    PhoneBench,
    ValidationResult,
)

if TYPE_CHECKING:
    # Each function imports what it needs: `tfopt ls` must not wait for the recipe language, nor `validate` for reports.
    from tfopt.backend.tflite.interpreter import Kernels
    from tfopt.core.contracts.events import Emit
    from tfopt.core.recipe.plan import Plan
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.phone import Accelerator
    from tfopt.core.records.report import AuditRecord, ClaimRecord
    from tfopt.core.records.run import Run
    from tfopt.core.sweeps.record import Sweep
    from tfopt.io.runs.garbage_collection import Collected
    from tfopt.io.store.store import Store

DEFAULT_OUT = "saved_models"
"""Default folder of runs and the store, relative to the current folder."""

Kind = Literal["models", "datasets", "stages", "schedules", "exports", "criteria", "targets", "recipes"]
"""What can be listed."""


def load(path: str | Path, overrides: Mapping[str, Any] | Sequence[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        path: the YAML file.
        overrides: values by recipe path, e.g. `{"stages.prune.schedule.final": "90%"}`, or `"path=value"` texts.

    Raises:
        RecipeError: with every mistake, each with its location in the file.
    """
    from tfopt.catalog.catalog import catalog
    from tfopt.io.recipes.recipe_file import load_recipe, parse_overrides

    values = overrides if isinstance(overrides, Mapping) else parse_overrides(overrides)
    return load_recipe(Path(path), catalog(), values)


def validate(paths: Sequence[str | Path]) -> list[ValidationResult]:
    """Checks recipes without running anything and without loading TensorFlow."""
    from tfopt.catalog.catalog import code_named_by

    checked = []
    for path in paths:
        try:
            recipe = load(path)
        except RecipeError as error:
            checked.append(ValidationResult(str(path), error.problems, ()))
        else:
            checked.append(ValidationResult(str(path), (), tuple(code_named_by(recipe))))
    return checked


def list_names(kind: Kind | None = None) -> dict[str, list[CatalogEntry]]:
    """What can be named in a recipe, by kind; all kinds without an argument."""
    from tfopt.io.recipes.listing import LISTERS

    kinds = LISTERS if kind is None else {kind: LISTERS[kind]}
    return {name: [CatalogEntry(*row) for row in rows()] for name, rows in kinds.items()}


def schema(which: Literal["recipe", "report"] = "recipe") -> dict[str, Any]:
    """JSON Schema of recipes (for editors) or of report.json (for tools)."""
    if which == "report":
        from tfopt.core.records.report import Report

        return Report.model_json_schema(by_alias=True)
    from tfopt.catalog.catalog import catalog
    from tfopt.core.recipe.schema import recipe_schema

    return recipe_schema(catalog())


def init(path: str | Path) -> Path:
    """Writes the commented starter recipe.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    from tfopt.io.recipes.starter import write_starter

    return write_starter(Path(path))


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

    prepared = prepare(_loaded(recipe), _store(out, store))
    return with_trial_files(prepared) if trial else prepared.plan


def run(
    recipe: Recipe | str | Path,
    *,
    out: str | Path = DEFAULT_OUT,
    store: str | None = None,
    fresh: bool = False,
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
        on_event: receives what happens, as it happens (see `tfopt.core.contracts.events`).

    Returns:
        The finished run; `run.ok` is whether every claim held and every budget was met.

    Raises:
        RecipeError: the recipe cannot be run.
        StageError: a stage or an export failed; finished stages stay in the store.
        StoreError: the output folder or the shared store cannot be read or written.
        EnvironmentProblem: a package for the shared store is missing.
        KeyboardInterrupt: Ctrl-C; the run folder records it.
    """
    from tfopt.engine.launch import launch

    return launch(_loaded(recipe), Path(out), lambda: _store(out, store), _draw, fresh=fresh, on_event=on_event)


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


@overload
def inspect(file: str | Path) -> AuditRecord: ...


@overload
def inspect(
    file: str | Path,
    against: str | Path | None,
    data: Recipe | str | Path | None,
    *,
    sensitivity: bool = False,
    allow_unsafe: bool = False,
    on_event: Emit | None = None,
) -> AuditRecord | Inspection: ...


def inspect(
    file: str | Path,
    against: str | Path | None = None,
    data: Recipe | str | Path | None = None,
    *,
    sensitivity: bool = False,
    allow_unsafe: bool = False,
    on_event: Emit | None = None,
) -> AuditRecord | Inspection:
    """What a .tflite, .keras, .h5 or SavedModel really contains; with `against`, where the accuracy of a .tflite went.

    Args:
        file: the file.
        against: the model to compare a .tflite with: .keras, .h5, SavedModel or another .tflite.
        data: a recipe, or the path of one, whose data, loss and metrics count. Predictions are compared on the test
            split; layers are judged on the validation split.
        sensitivity: measures what quantizing each layer costs, one layer at a time, and advises rules.
        allow_unsafe: runs Python code that the model file holds, and imports the modules that it names.
        on_event: receives progress (`sensitivity` events).

    Returns:
        What the file contains; with `against` also how its predictions and the values inside it differ.

    Raises:
        UsageError: a file is missing or of no known type; `against` without `data`, or the reverse.
        ExportError: the file is malformed, does not run, or does not fit the data or the model.
        StageError: the model or the data cannot be loaded.
        RecipeError: the recipe has mistakes.
    """
    from tfopt.backend.audit import inspect as inspection

    if against is None and data is None and not sensitivity:
        return inspection.inspect(_existing(file))
    if against is None or data is None:
        raise UsageError(
            "A comparison needs a model and data.",
            "Give both: tfopt inspect model.tflite --against model.keras --data recipe.yaml.",
            code="usage",
        )
    from tfopt.engine.inspection import inspect_against

    path, model, emit = _existing(file), _existing(against), on_event or (lambda event: None)
    explanation = inspect_against(path, model, _loaded(data), emit, sensitivity=sensitivity, allow_unsafe=allow_unsafe)
    return Inspection(inspection.inspect(path), explanation)


def explore(file: str | Path, folder: str | Path | None = None, inspection: Inspection | None = None) -> ExplorerFiles:
    """Writes node data for Model Explorer: bytes and zeros of the weights of each operator, its time, its error.

    Args:
        file: a .tflite.
        folder: where the documents go; by default `<file>.explorer` beside the file.
        inspection: of the same file, for the errors; without it there is no document of errors.

    Returns:
        The documents, and the command that opens the model with them.

    Raises:
        UsageError: the file is missing, or no .tflite.
        ExportError: the file is malformed, or the folder cannot be written.
    """
    from tfopt.engine.explorer import write_node_data

    errors = () if inspection is None else tuple(inspection.explanation.layers)
    return ExplorerFiles(*write_node_data(_existing(file), None if folder is None else Path(folder), errors))


def verify(bundle: str | Path) -> list[ClaimRecord]:
    """Whether every file of a bundle is as it was written, and returns its golden outputs on this machine.

    Args:
        bundle: the folder that `export.bundle` wrote, or a copy of it.

    Raises:
        UsageError: there is no such folder, or it is no bundle.
        ExportError: its manifest is damaged.
    """
    from tfopt.backend.bundle import verify as verification

    folder = _existing(bundle)
    if not verification.is_bundle(folder):
        raise UsageError(f"{folder} is no bundle: it has no manifest.json.", code="unknown_file_type")
    return verification.verify(folder)


def bench(
    files: Sequence[str | Path],
    threads: int | Sequence[int] = 1,
    rounds: int = 50,
    *,
    kernels: Sequence[Kernels] = ("default",),
    operators: bool = False,
    out: str | Path = DEFAULT_OUT,
) -> list[dict[str, Any]]:
    """Latency, cold start and memory of .tflite files on this machine, interleaved: comparable with each other only.

    Args:
        files: the files, or one run, whose .tflite files are meant.
        threads: threads of the interpreter; several numbers are measured against each other.
        rounds: single-example invocations of each file.
        kernels: `default` (XNNPACK, as apps use LiteRT), `builtin`, `reference`; each is measured against the others.
        operators: also times each operator of each file, run alone.
        out: folder of the runs.

    Returns:
        One row per file, kernels and number of threads; see `tfopt.backend.bench.measure`.

    Raises:
        UsageError: a file is missing.
        ExportError: a file cannot be run.
    """
    from tfopt.backend.bench.measure import measure
    from tfopt.engine.bench import files_of

    _check_listed("kernels", kernels, ("default", "builtin", "reference"))
    numbers = _numbers(threads)
    return measure(files_of(files, Path(out))[0], numbers, kernels, rounds, operators=operators)


def bench_on_phone(
    files: Sequence[str | Path],
    *,
    serial: str | None = None,
    benchmark_tool: str | Path | None = None,
    accelerators: Sequence[Accelerator] = ("cpu",),
    threads: int | Sequence[int] = 1,
    runs: int = 50,
    seconds: float = 300.0,
    libraries: Sequence[str | Path] = (),
    out: str | Path = DEFAULT_OUT,
    tell: Callable[[str], None] | None = None,
) -> PhoneBench:
    """Latency of .tflite files on an Android phone, by Google's `benchmark_model` over adb.

    Args:
        files: the files, or one run: then the figures enter its report.json, its page and its budgets.
        serial: of the phone; needed where several are connected.
        benchmark_tool: Google's `benchmark_model` for Android; by default what TFOPT_BENCHMARK_MODEL names.
        accelerators: `cpu`, `gpu`, `npu`.
        threads: of the CPU.
        runs: least number of timed calls.
        seconds: after which one file on one accelerator is given up.
        libraries: files pushed beside the tool, such as the GPU accelerator of LiteRT.
        out: folder of the runs.
        tell: receives what is being done, a line each.

    Raises:
        UsageError: a file is missing, or several phones are connected.
        EnvironmentProblem: adbutils, the tool or the phone is missing, or the phone was lost.
        ExportError: a file is malformed.
    """
    from tfopt.backend.phone.measure import PhoneRequest
    from tfopt.engine.bench import bench_on_phone as measured_on_phone

    _check_listed("accelerators", accelerators, ("cpu", "gpu", "npu"))
    request = PhoneRequest(
        serial,
        None if benchmark_tool is None else Path(benchmark_tool),
        tuple(accelerators),
        _numbers(threads),
        runs,
        seconds,
        tuple(Path(library) for library in libraries),
    )
    measured, run = measured_on_phone(files, request, Path(out), tell or (lambda line: None))
    if run is not None:
        recipe = run.folder / "recipe.yaml"
        _draw(run.folder, recipe.read_text(encoding="utf-8") if recipe.is_file() else "")
    return PhoneBench(measured, run)


def doctor(
    model: str | None = None,
    input_shape: Sequence[int] = (28, 28, 1),
    num_outputs: int = 10,
    *,
    allow_unsafe: bool = False,
    trial: bool = True,
) -> DoctorReport:
    """Versions and what is wrong with them; with a model, what can be done with each of its layers.

    Args:
        model: a name from `tfopt ls models`, `keras.applications.NAME`, `package.module:function`, or a file.
        input_shape: of models that are built for their data, without the batch axis.
        num_outputs: of models that are built for their data.
        allow_unsafe: runs Python code that a model file holds, and imports the modules that it names.
        trial: converts the model to see its operators; takes minutes for some large models.

    Raises:
        StageError: the model cannot be loaded.
        ExportError: the converter's process cannot write its files.
    """
    from tfopt.io.system.compatibility import mismatches, missing
    from tfopt.io.system.environment import environment

    found = environment()
    wrong = tuple(mismatches(found, os.environ))
    if model is None or missing(found):
        return DoctorReport(found, wrong)
    from tfopt.core.records.layer_support import totals
    from tfopt.engine.doctor import examine

    layers, files = examine(model, input_shape, num_outputs, allow_unsafe=allow_unsafe, trial=trial)
    return DoctorReport(found, wrong, layers, totals(layers), files)


def sweep(
    recipe: Recipe | str | Path,
    axes: Sequence[str | Mapping[str, Any]] = (),
    *,
    seeds: int | str | Sequence[int] | None = None,
    max_trials: int | None = None,
    jobs: int | None = None,
    stop_trials: bool = False,
    executor: Literal["local", "ray"] = "local",
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
        jobs: trials side by side; by default one per processor, at most 8.
        stop_trials: stop trials by the median rule (see `tfopt.core.sweeps.median_rule`).
        executor: `local` processes, or `ray` (RAY_ADDRESS names the cluster).
        out: where the run folders and the store go.
        store: URL of a shared store, as in `run`; all trials get it.
        on_event: receives what happens (see `tfopt.engine.sweep`).

    Returns:
        The sweep with its runs; failed trials are in its record.

    Raises:
        RecipeError: with every mistake of every trial, before anything is run.
        UsageError: there is nothing to vary.
        EnvironmentProblem: a package for the executor or the shared store is missing.
        StoreError: the output folder or the shared store cannot be written.
        KeyboardInterrupt: Ctrl-C; the workers have been stopped.
    """
    from tfopt.core.sweeps.expand import expand
    from tfopt.engine.sweep import execute_sweep
    from tfopt.executors.start import start_executor
    from tfopt.io.recipes.axes import with_sweep
    from tfopt.io.runs.sweeps import sweep_folder

    asked = with_sweep(_loaded(recipe), axes, seeds, max_trials)
    _store(out, store).check_writable()
    expansion = expand(asked)
    folder = sweep_folder(Path(out).resolve(), asked.name, expansion.key)
    where = start_executor(executor, jobs, len(expansion.trials), folder)
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


def _loaded(recipe: Recipe | str | Path) -> Recipe:
    return load(recipe) if isinstance(recipe, (str, Path)) else recipe


def _store(out: str | Path, url: str | None) -> Store:
    from tfopt.io.store.remote import RemoteStore
    from tfopt.io.store.store import Store

    return Store(Path(out) / ".store", None if url is None else RemoteStore(url))


def _numbers(threads: int | Sequence[int]) -> tuple[int, ...]:
    """Numbers of threads, each at least 1."""
    numbers = (threads,) if isinstance(threads, int) else tuple(threads)
    if not numbers or min(numbers) < 1:
        raise UsageError(f"threads must be numbers of at least 1. Got {threads!r}.", code="usage")
    return numbers


def _check_listed(name: str, values: Sequence[str], choices: Sequence[str]) -> None:
    wrong = [value for value in ((values,) if isinstance(values, str) else values) if value not in choices]
    if wrong or isinstance(values, str) or not values:
        raise UsageError(f"{name} must be a list of {', '.join(choices)}. Got {values!r}.", code="usage")


def _existing(file: str | Path) -> Path:
    path = Path(file)
    if not path.exists():
        raise UsageError(f"There is no file {path}.", code="file_not_found")
    return path


def _draw(folder: Path, recipe_text: str) -> None:
    """Draws the page of a run from its report.json, where there is one."""
    from tfopt.io.runs.runs import read_run
    from tfopt.report.run.html import write_html

    if (folder / "report.json").is_file():
        write_html(read_run(folder, folder.parent).report, recipe_text, folder)
