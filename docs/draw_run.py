"""Draws docs/run.svg, the terminal of a run, from its folder: `python docs/draw_run.py saved_models/NAME/latest`."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import tfopt
from tfopt.cli.progress import Lines
from tfopt.io.runs.journal import read_events
from tfopt.report.run.text import run_text

WIDTH = 104


def draw(folder: Path, target: Path) -> None:
    """Writes what the terminal showed as an SVG."""
    run = tfopt.show(folder)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(f"$ tfopt run recipes/{run.report.run.recipe.replace('-', '_')}.yaml", style="bold")
    lines = Lines(console.print)
    for event in read_events(folder / "events.jsonl"):
        lines(event)
    for part in run_text(run.report, run.folder, 1000):
        console.print(part)
    svg = console.export_svg(title="tfopt", unique_id="run")
    # Without rich's web fonts and comment the picture needs no network; viewers have a fixed-width font of their own.
    svg = re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")
    svg = svg.replace(str(run.folder), f"saved_models/{run.report.run.recipe}/{run.report.run.id}")
    target.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(__file__).with_name("run.svg"))
