"""`tfopt gc`: frees the store."""

from __future__ import annotations

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer


@click.command(
    name="gc",
    short_help="Free the store of what no kept run needs.",
    epilog="""\b
Examples:
  tfopt gc --dry-run              what would be removed
  tfopt gc                        remove what no run needs
  tfopt gc --keep-last 3          keep three runs of each recipe, and what they need
  tfopt gc --max-size 2GB         remove the oldest of it until the store fits
""",
)
@click.option("--keep-last", type=click.IntRange(min=0), metavar="N", help="Keep this many runs of each recipe.")
@click.option("--max-size", metavar="SIZE", help="Remove only until the store takes no more, e.g. 500MB.")
@click.option("--dry-run", is_flag=True, help="Only report what would be removed.")
@click.option("--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of runs and the store.")
@common
def command(keep_last: int | None, max_size: str | None, dry_run: bool, out: str) -> Answer:
    """Remove stored stages that no kept run needs, the oldest first, and what crashes left behind.

    Finished runs keep all they need, and so does a run in progress. Only the store in DIR is freed: one that is
    shared at a URL (--store of tfopt run) is not changed.
    """
    from tfopt import api
    from tfopt.core.language.quantities import parse_bytes
    from tfopt.report.shared.formats import size

    try:
        limit = None if max_size is None else parse_bytes(max_size)
    except ValueError as error:
        raise click.BadParameter(f"{error}. Got {max_size!r}.", param_hint="--max-size") from None
    found = api.gc(out, keep_last=keep_last, max_size=limit, dry_run=dry_run)
    verb = "would remove" if dry_run else "removed"

    def lines(terminal: object) -> list[str]:
        removed = [f"{verb} {path}" for path in (*found.runs, *found.entries)]
        return [
            *removed,
            f"{size(found.bytes)} {'to free' if dry_run else 'freed'}, {size(found.kept_bytes)} kept in the store.",
        ]

    return Answer(lambda: found, lines)
