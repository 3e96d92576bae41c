"""`tfopt bench`: latency and memory of files, side by side, on this machine or on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer

if TYPE_CHECKING:
    from tfopt.results import PhoneBench

    _Values = click.ParamType[tuple[str | int, ...]]
else:  # generic only in newer versions of click
    _Values = click.ParamType

_KERNELS = ("default", "builtin", "reference")
_ACCELERATORS = ("cpu", "gpu", "npu")
_ON_A_PHONE = ("serial", "benchmark_tool", "accelerators", "libraries", "seconds")
_HERE = ("kernels", "operators")


class _Listed(_Values):
    """Values separated by commas, each checked.

    Args:
        choices: what may be listed; None for numbers of at least 1.
    """

    def __init__(self, choices: tuple[str, ...] | None = None) -> None:
        self.choices = choices
        self.name = "LIST"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[str | int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if self.choices is None:
            if not all(part.isascii() and part.isdigit() and int(part) >= 1 for part in parts):
                self.fail(f"{value!r} must be numbers of at least 1, such as 1,2,4.", parameter, context)
            return tuple(dict.fromkeys(int(part) for part in parts))
        for part in parts:
            if part not in self.choices:
                self.fail(f"{part!r} is not one of {', '.join(self.choices)}.", parameter, context)
        return tuple(dict.fromkeys(parts))


@click.command(
    name="bench",
    short_help="Measure latency and memory of files, side by side, here or on a phone.",
    epilog="""\b
Examples:
  tfopt bench model.tflite
  tfopt bench float32.tflite int8.tflite --threads 1,2,4 --rounds 500
  tfopt bench int8.tflite --kernels default,builtin,reference --operators
  tfopt bench int8.tflite --adb --benchmark-tool benchmark_model --accelerator cpu,gpu
  tfopt bench digits-prune-qat --adb     all .tflite files of the latest run; the figures enter its report and budgets

With a run and --adb, the exit code is that of the run: 7 where a claim is broken or a budget is not met.
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...|RUN")
@click.option(
    "--threads", default="1", show_default=True, type=_Listed(), help="Threads of the CPU; a list measures each: 1,2,4."
)
@click.option(
    "--rounds", default=50, show_default=True, type=click.IntRange(min=1), help="Single-example calls per file."
)
@click.option(
    "--kernels",
    default="default",
    show_default=True,
    type=_Listed(_KERNELS),
    help="Of LiteRT: default (XNNPACK, as apps use it), builtin, reference; a list measures each.",
)
@click.option("--operators", is_flag=True, help="Also time each operator, run alone.")
@click.option("--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of the runs.")
@click.option("--adb", is_flag=True, help="Measure on an Android phone (extra: adb).")
@click.option("--serial", metavar="SERIAL", help="With --adb: which phone, as `adb devices` lists it.")
@click.option(
    "--benchmark-tool",
    type=click.Path(path_type=Path),
    envvar="TFOPT_BENCHMARK_MODEL",
    show_envvar=True,
    help="With --adb: Google's benchmark_model for Android.",
)
@click.option(
    "--accelerator",
    "accelerators",
    default="cpu",
    show_default=True,
    type=_Listed(_ACCELERATORS),
    help="With --adb: cpu, gpu, npu; a list measures each.",
)
@click.option(
    "--library",
    "libraries",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --adb: a library that the tool needs next to it, such as the GPU accelerator; may be repeated.",
)
@click.option(
    "--seconds",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=1),
    help="With --adb: give up a file on an accelerator after this time.",
)
@common
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    threads: tuple[int, ...],
    rounds: int,
    kernels: tuple[str, ...],
    operators: bool,
    out: str,
    adb: bool,
    serial: str | None,
    benchmark_tool: Path | None,
    accelerators: tuple[str, ...],
    libraries: tuple[Path, ...],
    seconds: float,
) -> Answer:
    """Measure latency and memory of .tflite files with one example: on this machine, interleaved, so that they can be
    compared, or with --adb on a phone.

    Median, 10th and 90th percentile of calls; cold start (loading and the first call); arena (memory of the computed
    tensors, on the built-in kernels); peak memory. Values from a different machine or time are not comparable, and
    those of a computer do not rank phones.
    """
    _refuse(context, _HERE if adb else _ON_A_PHONE, "has no meaning with --adb" if adb else "needs --adb")
    from tfopt import api
    from tfopt.report.files.bench import bench_text

    if not adb:
        # click.Choice has checked the words
        rows = api.bench(files, threads, rounds, kernels=kernels, operators=operators, out=out)  # type: ignore[arg-type]
        return Answer(lambda: rows, lambda terminal: bench_text(rows))
    found = api.bench_on_phone(
        files,
        serial=serial,
        benchmark_tool=benchmark_tool,
        accelerators=accelerators,  # type: ignore[arg-type]  # checked by click.Choice
        threads=threads,
        runs=rounds,
        seconds=seconds,
        libraries=libraries,
        out=out,
        tell=lambda line: click.echo(line, err=True),
    )
    return _of_phone(found)


def _of_phone(found: PhoneBench) -> Answer:
    from tfopt.report.files.phone import phone_text
    from tfopt.report.run.text import verdict_text

    run = found.run
    if run is None:
        failed = all(row.result is None for row in found.measured.rows)
        return Answer(lambda: found.measured, lambda terminal: phone_text(found.measured), 5 if failed else 0)
    page = run.folder / "report.html"
    return Answer(
        lambda: run.report,
        lambda terminal: (*phone_text(found.measured), "", *verdict_text(run.report), "", f"report  {page}"),
        run.exit_code,
    )


def _refuse(context: click.Context, names: tuple[str, ...], why: str) -> None:
    """Refuses options that would be ignored."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and given is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} {why}.", context)
