"""The tables of docs/measurements.md, made by running recipes.

    python benchmarks/measurements.py NAME... [--out build/measurements]

| name | runs | about, on two cores |
|---|---|---|
| `recipes` | every recipe as it is | 15 minutes |
| `chains` | the sweep of mnist_pcqat.yaml | 3 minutes |
| `schedules` | the sweep of compare_schedules.yaml: 54 runs | 25 minutes |
| `teachers` | each pair of recipes, with and without a teacher, over three seeds | 60 minutes |

Finished stages stay in `--out`, so a call that was stopped resumes. A table replaces the one between the comments with
its name in docs/measurements.md. The recipes for MNIST, Fashion-MNIST and CIFAR-10 read the usual caches and folders.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tfopt
from tfopt.core.records.run import Run

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "measurements.md"
RECIPES = REPOSITORY / "recipes"
SWEEPS = ("compare_schedules", "mnist_pcqat")

SPARSE = {"stages.prune.schedule.final": "90%", "budgets": {}}
TEACHER = {"stage": "train", "temperature": 4, "weight": 0.5}
TEACHERS: tuple[tuple[str, str, Mapping[str, Any], Mapping[str, Any]], ...] = (
    ("Fashion-MNIST, 90 % sparse, teacher in `prune` and `qat`", "fashion_mnist", SPARSE,
     {"stages.prune.teacher": TEACHER, "stages.qat.teacher": TEACHER}),
    ("Fashion-MNIST, 90 % sparse, teacher in `prune` alone", "fashion_mnist", SPARSE,
     {"stages.prune.teacher": TEACHER}),
    ("Fashion-MNIST, 90 % sparse, teacher in `qat` alone", "fashion_mnist", SPARSE, {"stages.qat.teacher": TEACHER}),
)  # fmt: skip
"""Task, recipe, what both runs change, what the run with a teacher changes in addition; measured in the int8 file."""


def recipes(out: Path) -> str:
    """One row per recipe: metrics of the first stage and of the last file, sizes."""
    rows = []
    for path in sorted(RECIPES.glob("*.yaml")):
        if path.stem not in SWEEPS:
            run = tfopt.run(path, out=out)
            dense, last = run.report.stages[0], run.report.exports[-1]
            rows.append(
                (
                    f"[`{path.stem}`](../recipes/{path.name})",
                    run.report.data.source,
                    percent(dense.measures[run.report.metric]),
                    percent(last.measures[run.report.metric]),
                    percent(run.report.stages[-1].measures.get("sparsity", 0.0), 0),
                    kilobytes(last.bytes),
                    kilobytes(last.gzip_bytes),
                    kilobytes(run.export("float32").gzip_bytes),
                )
            )
    head = ("recipe", "data", "first stage", "last file", "zeros", "its size", "gzip", "gzip of float32")
    return table(head, rows)


def chains(out: Path) -> str:
    """One row per chain of stages on MNIST: what the int8 file has of each technique."""
    rows = []
    for run in tfopt.sweep(RECIPES / "mnist_pcqat.yaml", jobs=1, out=out).runs.values():
        file = run.export("int8")
        weights = [tensor for tensor in (file.audit.tensors if file.audit else ()) if tensor.role == "weight"]
        rows.append(
            (
                ", ".join(stage.kind for stage in run.report.stages),
                percent(file.measures["accuracy"]),
                percent(file.audit.sparsity if file.audit else 0.0, 0),
                str(max(tensor.unique_per_channel or tensor.unique for tensor in weights)),
                kilobytes(file.gzip_bytes),
                kilobytes(run.export("float32").gzip_bytes),
            )
        )
    head = ("chain", "accuracy of int8", "zeros", "most values in a channel", "gzip of int8", "gzip of float32")
    return table(head, rows)


def schedules(out: Path) -> str:
    """Mean and standard deviation of the metric for each schedule and sparsity."""
    sweep = tfopt.sweep(RECIPES / "compare_schedules.yaml", jobs=1, out=out)
    found: dict[str, dict[str, list[float]]] = {}
    for run in sweep.runs.values():
        schedule = next(stage for stage in run.recipe.stages if stage.kind == "prune").schedule
        level = percent(schedule.final_sparsity(), 0)
        metric = run.export("float32").measures["accuracy"]
        found.setdefault(level, {}).setdefault(schedule.kind, []).append(metric)
    kinds = list(dict.fromkeys(kind for level in found.values() for kind in level))
    rows = [(level, *(mean_and_spread(by_kind[kind]) for kind in kinds)) for level, by_kind in found.items()]
    return table(("sparsity", *kinds), rows)


def teachers(out: Path, seeds: Sequence[int] = (0, 1, 2)) -> str:
    """The gain of each teacher: the int8 file with it against the int8 file without, same epochs and seeds."""
    rows = []
    for task, name, both, taught in TEACHERS:
        gains = []
        for seed in seeds:
            recipe = tfopt.load(RECIPES / f"{name}.yaml").with_overrides({**both, "seed": seed})
            runs: list[Run] = [tfopt.run(one, out=out) for one in (recipe, recipe.with_overrides(taught))]
            without, with_teacher = (run.export("int8").measures[run.report.metric] for run in runs)
            gains.append(100 * (with_teacher - without))
        rows.append((task, f"{statistics.fmean(gains):+.2f}", f"{statistics.stdev(gains):.1f}"))
    return table(("task", "gain in points", "standard deviation"), rows)


def percent(value: float, digits: int = 1) -> str:
    """`0.9806` -> `98.1 %`."""
    return f"{100 * value:.{digits}f} %"


def mean_and_spread(values: Sequence[float]) -> str:
    """`90.0 ± 0.1`, in percent."""
    return f"{100 * statistics.fmean(values):.1f} ± {100 * statistics.stdev(values):.1f}"


def kilobytes(num_bytes: float) -> str:
    """`41230` -> `41.2 kB`."""
    return f"{num_bytes / 1e3:.1f} kB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def replaced(page: str, name: str, made: str) -> str:
    """The page with a new table between the comments `<!-- NAME -->` and `<!-- end -->`."""
    between = re.compile(rf"(<!-- {name} -->\n\n).*?(\n<!-- end -->)", re.DOTALL)
    if not between.search(page):
        raise SystemExit(f"{PAGE} has no table {name!r}")
    return between.sub(lambda found: found[1] + made + found[2], page)


TABLES: Mapping[str, Callable[[Path], str]] = {
    "recipes": recipes, "chains": chains, "schedules": schedules, "teachers": teachers,
}  # fmt: skip


def main() -> None:
    """Makes the tables that were named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=TABLES)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "measurements")
    arguments = parser.parse_args()
    for name in arguments.names:
        made = TABLES[name](arguments.out)
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), name, made), encoding="utf-8")
        print(made)


if __name__ == "__main__":
    main()
