"""CLINC150: one small Transformer, pruned, distilled, quantized, and all of these, over three seeds.

    CLINC150=FOLDER python benchmarks/clinc150.py [--out build/clinc150] [--seeds 1 2 3] [--page docs/measurements.md]

The recipe is clinc150_transformer_prune_qat with other stages; the teacher is the ensemble of clinc150_ensemble, which
is trained first where it is not in the store. Runs that have ended are read, the others are run: an hour on two cores
for all. The files of the first seed are timed in turns at the end. With `--page`, the table between the comments
`clinc150` is replaced.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

from measurements import RECIPES, replaced, table  # noqa: E402

import tfopt  # noqa: E402

_FIRST = {"epochs": 10, "learning_rate": {"kind": "cosine", "initial": 2e-3, "final": 5e-5, "warmup": "5%"}}
_PRUNE = {
    "epochs": 6,
    "learning_rate": {"kind": "cosine", "initial": 1e-3, "final": 5e-5},
    "schedule": {"kind": "polynomial", "initial": "0%", "final": "70%", "begin": "0%", "end": "60%"},
}
_QAT = {"epochs": 2, "learning_rate": 1e-4}
_TEACHER = {
    "teacher": {
        "recipe": str(RECIPES / "clinc150_ensemble.yaml"), "temperature": 2, "weight": 0.7, "cache": True,
    }
}  # fmt: skip

VARIANTS: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
    "float": ("train", [{"train": _FIRST}]),
    "prune": ("train, prune 70 %", [{"train": _FIRST}, {"prune": _PRUNE}]),
    "distil": ("distil", [{"distill": _FIRST | _TEACHER}]),
    "qat": ("train, qat", [{"train": _FIRST}, {"qat": _QAT}]),
    "prune-qat": ("train, prune 70 %, qat", [{"train": _FIRST}, {"prune": _PRUNE}, {"qat": _QAT}]),
    "all": (
        "distil, prune 70 % and qat with the teacher",
        [{"distill": _FIRST | _TEACHER}, {"prune": _PRUNE | _TEACHER}, {"qat": _QAT | _TEACHER}],
    ),
}
"""What each is called in the table, and its stages."""


def run_of(variant: str, seed: int, out: Path) -> Path:
    """The folder of a run that has ended."""
    name = f"clinc150-{variant}"
    for folder in sorted((out / name).glob("*/"), reverse=True):
        if (report := _report(folder)) and report["run"]["state"] == "done" and report["run"]["seed"] == seed:
            return folder
    recipe = tfopt.load(RECIPES / "clinc150_transformer_prune_qat.yaml")
    own = {"name": name, "seed": seed, "stages": VARIANTS[variant][1]}
    return Path(tfopt.run(recipe.with_overrides(own), out=out).folder)


def _report(folder: Path) -> dict[str, Any] | None:
    file = folder / "report.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def rows(folders: Mapping[str, Sequence[Path]]) -> Iterator[list[str]]:
    """One row for each variant; broken claims are named in it."""
    files = [folder / "export" / f"{name}.tflite" for name in ("float32", "int8") for folder in _firsts(folders)]
    timed = tfopt.bench(files, rounds=200)
    latencies = {file: row["latency_ms"] for file, row in zip(files, timed, strict=True)}
    for variant, runs in folders.items():
        reports = [report for folder in runs if (report := _report(folder))]
        broken = [claim for report in reports for claim in _broken(report)]
        cells = [VARIANTS[variant][0] + (f" ({', '.join(broken)} broken)" if broken else "")]
        for name in ("float32", "int8"):
            exports = [next(each for each in report["exports"] if each["name"] == name) for report in reports]
            values = [100 * each["measures"]["accuracy"] for each in exports]
            shown = ", ".join(f"{value:.1f}" for value in values)
            cells += [f"{shown}: {statistics.fmean(values):.1f}", f"{exports[0]['bytes'] / 1e3:.0f} kB"]
            if name == "int8":
                cells.append(f"{exports[0]['gzip_bytes'] / 1e3:.0f} kB")
            cells.append(f"{latencies[runs[0] / 'export' / f'{name}.tflite']:.3f} ms")
        yield cells


def _firsts(folders: Mapping[str, Sequence[Path]]) -> list[Path]:
    return [runs[0] for runs in folders.values()]


def _broken(report: Mapping[str, Any]) -> list[str]:
    return [claim["code"] for file in report["exports"] for claim in file["claims"] if not claim["held"]]


def main() -> None:
    """Runs what is missing, and prints or writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/clinc150"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    folders = {variant: [run_of(variant, seed, options.out) for seed in options.seeds] for variant in VARIANTS}
    head = ["stages", "float32 file: each seed, mean", "bytes", "latency"]
    head += ["int8 file: each seed, mean", "bytes", "gzip", "latency"]
    made = table(head, rows(folders))
    print(made)
    if options.page:
        options.page.write_text(replaced(options.page.read_text(encoding="utf-8"), "clinc150", made), "utf-8")


if __name__ == "__main__":
    main()
