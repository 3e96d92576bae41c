"""`tfopt init`: a commented recipe to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer, Terminal


@click.command(
    name="init",
    epilog="""\b
Examples:
  tfopt init                  writes recipe.yaml
  tfopt init digits           writes digits.yaml
  tfopt init recipes/my.yaml  writes that file
""",
)
@click.argument("name", default="recipe")
@common
def command(name: str) -> Answer:
    """Write a commented starter recipe.

    It trains, prunes and quantizes a small CNN on the digits that come with scikit-learn, so it runs at once and
    without a network. An existing file is never overwritten.
    """
    from tfopt import api

    path = Path(name)
    written = api.init(path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml"))

    def text(terminal: Terminal) -> Iterator[str]:
        yield f"Wrote {written}. Next:"
        for verb in ("validate", "plan", "run"):
            yield f"  tfopt {verb} {written}"

    return Answer(lambda: {"path": written}, text)
