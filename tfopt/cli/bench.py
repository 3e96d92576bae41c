"""`tfopt bench`: latency of files, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer


@click.command(
    name="bench",
    short_help="Measure the latency of files, side by side.",
    epilog="""\b
Examples:
  tfopt bench model.tflite
  tfopt bench float32.tflite int8.tflite --threads 1 --rounds 500
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Threads of the interpreter.")
@click.option(
    "--rounds", default=50, show_default=True, type=click.IntRange(min=1), help="Single-example calls per file."
)
@common
def command(files: tuple[Path, ...], threads: int, rounds: int) -> Answer:
    """Measure the latency of .tflite files on this machine, interleaved, so that they can be compared.

    Median, 10th and 90th percentile of calls with one example. Values from a different machine or time are not
    comparable.
    """
    from tfopt import api
    from tfopt.report.files.text import bench_table

    rows = api.bench(files, threads, rounds)
    return Answer(lambda: rows, lambda terminal: (bench_table(rows),))
