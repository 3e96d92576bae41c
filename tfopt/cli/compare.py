"""`tfopt compare`: runs, or the runs of a sweep, in one table."""

from __future__ import annotations

from pathlib import Path

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer, Session


@click.command(
    name="compare",
    short_help="Runs or a sweep in one table, with figures.",
    epilog="""\b
Examples:
  tfopt compare compare-schedules                     the latest sweep of that recipe
  tfopt compare digits-prune-qat/20260727-141503-5f2c digits-prune-qat/20260727-150211-81aa
  tfopt compare compare-schedules --sort gzip_bytes --csv > table.csv
  tfopt compare compare-schedules --html page.html --figures figures/
""",
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...|SWEEP")
@click.option("--sort", metavar="COLUMN", help="Sort by a column of --csv (default: by sparsity, then by metric).")
@click.option("--export", metavar="NAME", help="Which file to compare (default: the last .tflite that all runs have).")
@click.option("--csv", "as_csv", is_flag=True, help="The table as CSV, with all digits.")
@click.option("--html", metavar="FILE", help="Also write a page: one file, no network needed.")
@click.option("--figures", metavar="DIR", help="Also write the figures, as SVG and PNG.")
@click.option("--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of the runs.")
@common
@click.pass_obj
def command(
    session: Session,
    runs: tuple[str, ...],
    sort: str | None,
    export: str | None,
    as_csv: bool,
    html: str | None,
    figures: str | None,
    out: str,
) -> Answer:
    """Put runs, or all runs of a sweep, into one table.

    Runs that differ in nothing but the seed make one line: mean and standard deviation. The Pareto front is marked;
    differences within the noise of the seeds are reported, with the test used.
    """
    from tfopt import api
    from tfopt.core.sweeps.comparison import sorted_by
    from tfopt.report.comparison.text import comparison_csv, comparison_text

    if as_csv and session.json:
        raise click.UsageError("--csv and --json exclude each other.")
    compared = api.compare(*runs, export=export, out=out)
    table = compared.table
    rows = sorted_by(table, sort) if sort else table.rows
    if html or figures:
        from tfopt.report.comparison.charts import drawings
        from tfopt.report.comparison.html import write_comparison, write_figures

        drawn = drawings(table, compared.candidates)
        if figures:
            write_figures(drawn, Path(figures))
        if html:
            write_comparison(Path(html), table, rows, compared.candidates, drawn)
    return Answer(
        lambda: {**vars(table), "rows": rows},
        lambda terminal: [comparison_csv(rows).rstrip()] if as_csv else comparison_text(table, rows, terminal.width),
    )
