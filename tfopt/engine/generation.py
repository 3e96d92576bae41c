"""Which generative file is meant: the file itself, or one of a run."""

from __future__ import annotations

from pathlib import Path

from tfopt.errors import UsageError
from tfopt.io.runs.runs import read_run

PREFIX = "generate_"
"""How the names of generative files of a run begin."""


def generative_file(target: str | Path, root: Path, variant: str | None = None) -> Path:
    """The file that is meant.

    Args:
        target: a `.tflite` or `.litertlm`, or a run: a run folder, `<recipe>` or `<recipe>/<run-id>`.
        root: folder of the runs.
        variant: which file of `export.generate.files`; needed for a run with several.

    Raises:
        UsageError: there is no such file, or it is not clear which one.
        StoreError: there is no such run.
    """
    path = Path(target)
    if path.is_file():
        if variant is not None:
            raise UsageError(f"{path} is a file; a variant selects one of a run.", code="usage")
        return path
    if path.suffix in (".tflite", ".litertlm"):
        raise UsageError(f"There is no file {path}.", code="file_not_found")
    run = read_run(target, root)
    files = {
        record.name.removeprefix(PREFIX): run.folder / record.path
        for record in run.report.exports
        if record.name.startswith(PREFIX) and record.path.endswith(".tflite")
    }
    files = {name: file for name, file in files.items() if file.is_file()}
    listed = ", ".join(files)
    if not files:
        raise UsageError(
            f"The run {run.folder.name} has no generative file.",
            "Add export.generate to its recipe.",
            code="file_not_found",
        )
    if variant is None and len(files) > 1:
        raise UsageError(
            f"The run {run.folder.name} has several generative files: {listed}.",
            f"Choose one by its path, such as {next(iter(files.values()))}, or, for FILE|RUN, with --variant "
            f"{next(iter(files))}.",
            code="usage",
        )
    name = next(iter(files)) if variant is None else variant.removeprefix(PREFIX)
    if name not in files:
        raise UsageError(
            f"The run {run.folder.name} has no generative file {variant!r}; it has {listed}.",
            code="file_not_found",
        )
    return files[name]
