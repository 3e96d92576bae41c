"""Every TFLite mode on models of every kind, dense, pruned, clustered and after qat; the table of docs/modes.md.

    python benchmarks/modes_matrix.py [--kinds cnn,lstm] [--out build/modes_matrix] [--table docs/modes.md]

Tiny models on made-up data that are easy to tell apart. What a run refuses before it trains is taken out of the recipe
and written down with its reason; the other files are made, and their claims are checked on XNNPACK and on LiteRT's
reference kernels, as in any run. Trained models and the row of each model are kept in `--out`: a row that is there is
not made again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

from matrix_models import KINDS  # noqa: E402

STATES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "dense": (),
    "pruned": ({"prune": {"epochs": 2, "schedule": {"kind": "constant", "final": "50%"}}},),
    "clustered": ({"cluster": {"epochs": 1, "clusters": 8}},),
    "qat": ({"qat": {"epochs": 1}},),
}
"""Stages after training."""
BEGIN, END = "<!-- matrix: benchmarks/modes_matrix.py -->", "<!-- end of matrix -->"


@dataclass(frozen=True)
class Cell:
    """What became of one mode.

    Args:
        refused: why no file was tried; empty where one was.
        agreement: share of test examples on which file and model predict the same class; None where it did not run.
        broken: claims that do not hold, with what was found; or why the file could not be made.
    """

    refused: str = ""
    agreement: float | None = None
    broken: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.refused:
            return "refused"
        share = "" if self.agreement is None else f"{self.agreement:.0%}"
        return f"**{share} broken**" if self.broken else share


Row = Mapping[str, Cell]
"""Cells by mode."""


def recipe(kind: str, state: str, modes: Sequence[str]) -> dict[str, Any]:
    """The recipe of a row of the table."""
    chosen, module = KINDS[kind], "matrix_models"
    return {
        "name": f"matrix-{kind}-{state}",
        "description": f"{kind}, {state}, in every mode",
        "data": {"source": f"{module}:{chosen.data.__name__}", "batch_size": 16},
        "model": {"source": f"{module}:{chosen.model.__name__}"},
        **({"compile": dict(chosen.compile)} if chosen.compile else {}),
        "stages": [{"train": {"epochs": 6}}, *STATES[state]],
        "export": {"tflite": {mode: {"quantize": mode} for mode in modes}},
    }


def row(kind: str, state: str, modes: Sequence[str], out: Path) -> Row:
    """Runs a recipe with all modes, without those that are refused before training.

    Args:
        kind: of the model.
        state: what is done to it.
        modes: names of the modes.
        out: where runs and trained models are kept.
    """
    import yaml

    import tfopt
    from tfopt.errors import RecipeError, TfoptError

    refused: dict[str, Cell] = {}
    rest = list(modes)
    while rest:
        path = out / f"{kind}-{state}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(recipe(kind, state, rest), sort_keys=False), encoding="utf-8")
        try:
            run = tfopt.run(tfopt.load(path), out=out)
        except RecipeError as error:
            of_files = {mode: p.message for p in error.problems if (mode := _file_of(p, rest)) is not None}
            if not of_files:
                return {
                    mode: Cell(refused=error.problems[0].message if error.problems else str(error)) for mode in modes
                }
            refused |= {mode: Cell(refused=message) for mode, message in of_files.items()}
            rest = [mode for mode in rest if mode not in refused]
        except TfoptError as error:
            return {mode: Cell(refused=str(error)) for mode in modes}
        else:
            made = {export.name: _cell(export) for export in run.report.exports}
            return {mode: (made | refused)[mode] for mode in modes}
    return refused


def kept_row(kind: str, state: str, modes: Sequence[str], out: Path) -> Row:
    """The row that an earlier call wrote, or a new one, which is written."""
    file = out / f"{kind}-{state}.json"
    if not file.exists():
        made = {mode: asdict(cell) for mode, cell in row(kind, state, modes, out).items()}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, indent=1), encoding="utf-8")
    cells = json.loads(file.read_text(encoding="utf-8"))
    return {mode: Cell(**{**cell, "broken": tuple(cell["broken"])}) for mode, cell in cells.items()}


def _file_of(problem: Any, modes: Sequence[str]) -> str | None:
    """The file that a problem is about."""
    return next(
        (mode for mode in modes if problem.message.startswith(f"{mode}: ") or mode in map(str, problem.path)), None
    )


def _cell(export: Any) -> Cell:
    if export.error:
        return Cell(broken=(f"no file after training: {export.error}",))
    broken = tuple(f"{claim.code}: {claim.found}" for claim in export.claims if not claim.held)
    agreements = [value for name, value in export.measures.items() if re.fullmatch(r"(\w+_)?agreement", name)]
    return Cell(agreement=min(agreements, default=None), broken=broken)


def page(rows: Mapping[tuple[str, str], Row], modes: Sequence[str]) -> str:
    """The table and its notes in Markdown."""
    lines = [f"| model | state | {' | '.join(modes)} |", f"|---|---|{'---|' * len(modes)}"]
    notes: dict[str, list[tuple[str, str]]] = {}
    for (kind, state), cells in rows.items():
        lines.append(f"| {kind} | {state} | {' | '.join(str(cells[mode]) for mode in modes)} |")
        for mode in modes:
            for note in filter(None, (cells[mode].refused, *cells[mode].broken)):
                text = re.sub(r"\s+", " ", note).replace(f"{mode}: ", "", 1).replace("|", "\\|")
                notes.setdefault(text, []).append((f"{kind} {state}", mode))
    cells = [cell for row in rows.values() for cell in row.values()]
    counts = (
        f"{len(cells)} cells: {sum(not cell.refused and not cell.broken for cell in cells)} hold every claim, "
        f"{sum(bool(cell.refused) for cell in cells)} are refused before a file is made, "
        f"{sum(bool(cell.broken) for cell in cells)} break a claim."
    )
    found = [f"- {_where(sites, len(modes))}: {text}" for text, sites in notes.items()]
    return "\n".join([counts, "", *lines, "", "Refused or broken:", "", *found])


def _where(sites: Sequence[tuple[str, str]], modes: int) -> str:
    """Rows with their modes; a row whose modes all are meant without them."""
    rows: dict[str, list[str]] = {}
    for row, mode in sites:
        rows.setdefault(row, []).append(mode)
    return ", ".join(row if len(of) == modes else f"{row} {' '.join(of)}" for row, of in rows.items())


def write_between(page: Path, begin: str, end: str, made: str) -> None:
    """Replaces what stands between two lines of a page."""
    text = page.read_text(encoding="utf-8")
    before, after = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{made}\n\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Makes the table; see the text at the top of the file."""
    from tfopt.core.config.quantization_modes import MODES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--out", type=Path, default=Path("build/modes_matrix"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--kept", action="store_true", help="only the rows that an earlier call wrote")
    arguments = parser.parse_args()
    rows: dict[tuple[str, str], Row] = {}
    for kind in arguments.kinds.split(","):
        for state in STATES:
            if arguments.kept and not (arguments.out / f"{kind}-{state}.json").exists():
                continue
            rows[kind, state] = kept_row(kind, state, [*MODES], arguments.out)
            print(kind, state, {mode: str(cell) for mode, cell in rows[kind, state].items()}, flush=True)
    made = page(rows, [*MODES])
    if arguments.table is None:
        print(made)
        return
    write_between(arguments.table, BEGIN, END, made)


if __name__ == "__main__":
    main()
