"""Files and models: inspect, explore, verify, bench, doctor."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from tfopt.api.common import DEFAULT_OUT, draw, loaded
from tfopt.errors import UsageError
from tfopt.results import DoctorReport, ExplorerFiles, Inspection, PhoneBench

if TYPE_CHECKING:
    from tfopt.backend.tflite.benchmark import BenchRow

    # Each function imports what it needs: `tfopt ls` must not wait for the recipe language, nor `validate` for reports.
    from tfopt.backend.tflite.interpreter import Kernels
    from tfopt.core.contracts.events import Emit
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.phone import Accelerator
    from tfopt.core.records.report import AuditRecord, ClaimRecord


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
    from tfopt.engine.files.inspection import inspect_against

    path, model, emit = _existing(file), _existing(against), on_event or (lambda event: None)
    explanation = inspect_against(path, model, loaded(data), emit, sensitivity=sensitivity, allow_unsafe=allow_unsafe)
    return Inspection(inspection.inspect(path), explanation)


def explore(file: str | Path, folder: str | Path | None = None, inspection: Inspection | None = None) -> ExplorerFiles:
    """Writes node data for Model Explorer: bytes and zeros of the weights of each operator, its time, its error.

    Args:
        file: a .tflite.
        folder: where the documents go; by default `<stem>.explorer` in the folder of the file.
        inspection: of the same file, for the errors; without it there is no document of errors.

    Returns:
        The documents, and the command that opens the model with them.

    Raises:
        UsageError: the file is missing, or no .tflite.
        ExportError: the file is malformed, or the folder cannot be written.
    """
    from tfopt.engine.files.explorer import write_node_data

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
) -> list[BenchRow]:
    """Latency, cold start and memory of .tflite files on this machine, interleaved: comparable with each other only.

    Args:
        files: the files, or one run, whose .tflite files are meant.
        threads: threads of the interpreter; several numbers are measured against each other.
        rounds: single-example invocations of each file.
        kernels: `default` (XNNPACK, as apps use LiteRT), `builtin`, `reference`; each is measured against the others.
        operators: also times each operator of each file, run alone.
        out: folder of the runs.

    Returns:
        One row per file, kernels and number of threads, with `error` in place of the measures where one failed; see
        `tfopt.backend.bench.measure`.

    Raises:
        UsageError: a file is missing.
        StoreError: there is no such run.
        ExportError: a file is malformed, or nothing could be measured.
    """
    from tfopt.backend.bench.measure import measure
    from tfopt.engine.files.bench import files_of

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
        libraries: files pushed into the folder of the tool, such as the GPU accelerator of LiteRT.
        out: folder of the runs.
        tell: receives what is being done, a line each.

    Raises:
        UsageError: a file is missing, or several phones are connected.
        EnvironmentProblem: adbutils, the tool or the phone is missing, or the phone was lost.
        ExportError: a file is malformed.
    """
    from tfopt.backend.phone.measure import PhoneRequest
    from tfopt.engine.files.bench import bench_on_phone as measured_on_phone

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
        draw(run.folder, recipe.read_text(encoding="utf-8") if recipe.is_file() else "")
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
    from tfopt.engine.files.doctor import examine

    layers, files, groups = examine(model, input_shape, num_outputs, allow_unsafe=allow_unsafe, trial=trial)
    return DoctorReport(found, wrong, layers, totals(layers), files, groups)


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
