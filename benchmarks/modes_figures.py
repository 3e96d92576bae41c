"""Bytes, accuracy and latency of every TFLite mode on a dense model and a small CNN; the figures of docs/modes.md.

    python benchmarks/modes_figures.py [--out build/modes_figures] [--table docs/modes.md]

Digits (8x8 images, 360 in the test split): one training each, seed 0. Latency is the median of one example on one
thread with XNNPACK, on the machine that runs the script; its ratio to float32 says more than the number.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

from modes_matrix import write_between  # noqa: E402

MODELS = {
    "dense, 256 and 64 units": {"source": "mlp", "args": {"units": [256, 64]}},
    "small CNN": {"source": "small_cnn"},
}
ALGORITHMS = {"int4": ("octav", "gptq", "mse"), "int4_block32": ("gptq",), "int2": ("octav", "gptq")}
"""Tried besides the default."""
BEGIN, END = "<!-- figures: benchmarks/modes_figures.py -->", "<!-- end of figures -->"


def variants(modes: list[str]) -> dict[str, dict[str, str]]:
    """Keys of the files by name."""
    files = {mode: {"quantize": mode} for mode in modes}
    for mode, algorithms in ALGORITHMS.items():
        files |= {f"{mode}-{name}": {"quantize": mode, "algorithm": name} for name in algorithms}
    return files


def lines(name: str, model: dict[str, Any], out: Path) -> list[str]:
    """Trains one model and returns the lines of its table."""
    import yaml

    import tfopt
    from tfopt.core.config.quantization_modes import MODES
    from tfopt.errors import RecipeError

    files, refused = variants([*MODES]), dict[str, str]()
    while True:
        recipe = {
            "name": f"figures-{model['source']}",
            "data": {"source": "digits"},
            "model": model,
            "stages": [{"train": {"epochs": 20}}],
            "export": {"tflite": files},
        }
        path = out / f"{recipe['name']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
        try:
            run = tfopt.run(tfopt.load(path), out=out)
            break
        except RecipeError as error:
            named = {p.message.split(": ")[0]: p.message.split(": ", 1)[1] for p in error.problems if ": " in p.message}
            wrong = named.keys() & files.keys()
            if not wrong:
                raise
            refused |= {file: named[file] for file in wrong}
            files = {file: keys for file, keys in files.items() if file not in wrong}
    exports = {export.name: export for export in run.report.exports}
    float32 = exports["none"]
    found = [
        f"{name}, accuracy in Keras {run.report.stages[-1].measures['accuracy']:.1%}:",
        "",
        "| file | bytes | of float32 | accuracy | agreement | latency, of float32 | claims |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for file, export in exports.items():
        measures, kept = export.measures, sum(claim.held for claim in export.claims)
        found.append(
            f"| {file} | {export.bytes:,} | {export.bytes / float32.bytes:.2f} | {measures['accuracy']:.1%} | "
            f"{measures['agreement']:.1%} | {measures['latency_ms'] / float32.measures['latency_ms']:.2f} | "
            f"{kept}/{len(export.claims)} |"
        )
    found += [f"| {file} | refused: {reason} | | | | | |" for file, reason in refused.items()]
    return [*found, ""]


def main() -> None:
    """Makes the tables; see the text at the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/modes_figures"))
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_args()
    made = "\n".join(line for name, model in MODELS.items() for line in lines(name, model, arguments.out)).strip()
    if arguments.table is None:
        print(made)
    else:
        write_between(arguments.table, BEGIN, END, made)


if __name__ == "__main__":
    main()
