"""Accuracy against bytes: every TFLite mode of tfopt, plain converter quantization, and litert-quantizer's recipes.

    python benchmarks/tflite_front.py [--tasks resnet8 ds_cnn] [--seeds 0 1 2] [--data ../shared/data] [--out FOLDER]
                                      [--page docs/measurements.md]

ResNet-8 on CIFAR-10 (8,000 training and 1,000 test images) and a small DS-CNN on spoken digits (2,700 and 300
recordings, log-mel features). A float model is trained once for each task and seed. It then trains a few epochs more,
with and without quantization: so the files after `qat` have seen as many epochs as all others. tfopt makes its files of
these two models; the same float model, unchanged, goes through `tf.lite.TFLiteConverter` and the stock recipes of
litert-quantizer. About 5 CPU minutes for a task and seed; finished stages stay in `--out`. With `--page`, the tables
between the comments `front-TASK` are replaced.

| file | question it answers |
|---|---|
| `tflite_front.py` | which models and which files of tfopt? |
| `front_others.py` | how do the others make files of the same model? |
| `front_table.py` | which file is beaten, and is a recommended one on the front at every size? |
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "recipes"), str(Path(__file__).parent)]

from front_others import of_others  # noqa: E402
from front_table import Point, section  # noqa: E402


@dataclass(frozen=True)
class Task:
    """A data set and a model.

    Args:
        data: the recipe's block, for a folder of data sets.
        model: the recipe's block.
        epochs: of training, and of those behind it, with and without quantization.
        ends: layers with the fewest weights that lose most in 4 bits: the first and the last.
    """

    data: Callable[[Path], dict[str, Any]]
    model: dict[str, Any]
    epochs: tuple[int, int]
    ends: tuple[str, str]


TASKS = {
    "resnet8": Task(
        lambda folder: {
            "source": "cifar10_sheets:load",
            "args": {"folder": str(folder / "cifar10-png")},
            "splits": {"validation": "5%"},
            "augment": {"flip": "horizontal", "crop": 4},
            "batch_size": 32,
        },
        {"source": "resnet8"},
        (4, 1),
        ("stem", "logits"),
    ),
    "ds_cnn": Task(
        lambda folder: {
            "source": "spoken_digits",
            "args": {"folder": str(folder / "fsdd"), "split": "takes", "bands": 20},
            "splits": {"validation": "5%"},
        },
        {"source": "speech_ds_cnn", "args": {"filters": 48, "blocks": 3, "dropout": 0}},
        (12, 3),
        ("stem", "logits"),
    ),
}


def variants(ends: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Files of the trained model, by name."""
    rules = [{"match": "|".join(ends), "quantize": "weight_only_int8"}]
    return {
        "float32": {},
        "float16": {"quantize": "float16"},
        "dynamic": {"quantize": "dynamic"},
        "dynamic-min_max": {"quantize": "dynamic", "algorithm": "min_max"},  # by the quantizer: small layers, too
        "int8": {"quantize": "int8"},
        "int8-mse": {"quantize": "int8", "calibration": {"select": "balanced", "range": "mse"}},
        "int16x8": {"quantize": "int16x8"},
        "weight_only_int8": {"quantize": "weight_only_int8"},
        "int4": {"quantize": "int4"},
        "int4-mse": {"quantize": "int4", "algorithm": "mse"},
        "int4-mixed": {"quantize": "int4", "algorithm": "mse", "layers": rules},
        "int2": {"quantize": "int2"},
    }


AFTER_QAT: dict[str, dict[str, Any]] = {"int8-qat": {"quantize": "int8"}, "int16x8-qat": {"quantize": "int16x8"}}
"""Files of the model after quantization-aware training, by name."""


RECOMMENDED = ("float32", "float16", "int8-qat", "dynamic-min_max", "int4-mixed")
"""What docs/modes.md recommends, from the largest to the smallest; chosen before the measurement."""


def of_tfopt(name: str, seed: int, data: Path, out: Path) -> Iterator[tuple[Any, list[Point]]]:
    """Two runs of tfopt that share the trained model, and their files."""
    import tfopt

    task = TASKS[name]
    first, more = task.epochs
    train = {"train": {"epochs": first, "learning_rate": {"kind": "cosine", "initial": 4e-3, "final": 1e-5}}}
    rest = {"epochs": more, "learning_rate": {"kind": "cosine", "initial": 3e-4, "final": 1e-5}}
    chains = {"float": ([train, {"train": rest}], variants(task.ends)), "qat": ([train, {"qat": rest}], AFTER_QAT)}
    for chain, (stages, files) in chains.items():
        exports = {"tflite": files, "keras": {}} if chain == "float" else {"tflite": files}
        recipe = {
            "name": f"{name}-{chain}",
            "seed": seed,
            "data": task.data(data),
            "model": task.model,
            "stages": stages,
            "export": exports,
        }
        folder = out / f"{name}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{chain}.yaml"
        path.write_text(json.dumps(recipe), encoding="utf-8")
        run = tfopt.run(path, out=folder)
        made = [each for each in run.report.exports if each.format == "tflite"]
        for each in made:
            if "accuracy" not in each.measures:
                print(f"{name} {each.name}: {each.error or [c.found for c in each.claims if not c.held]}")
        measured = [each for each in made if "accuracy" in each.measures]
        yield run, [Point("tfopt", each.name, each.bytes, each.measures["accuracy"]) for each in measured]


def measured(name: str, seed: int, data: Path, out: Path) -> list[Point]:
    """All files of a task and seed; kept in `out`, so that another call adds seeds only."""
    kept = out / f"{name}-{seed}.json"
    if kept.exists():
        return [Point(**each) for each in json.loads(kept.read_text(encoding="utf-8"))]
    (trained, points), (_, after) = of_tfopt(name, seed, data, out)
    with tempfile.TemporaryDirectory() as work:
        points = [*points, *after, *of_others(trained, TASKS[name].data(data), Path(work))]
    kept.write_text(json.dumps([vars(point) for point in points]), encoding="utf-8")
    return points


def main() -> None:
    """Measures, prints and writes the tables."""
    from measurements import replaced

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=[*TASKS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "front")
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.tasks:
        found = {seed: measured(name, seed, arguments.data.resolve(), arguments.out) for seed in arguments.seeds}
        text = section(found, RECOMMENDED)
        print(f"{name}\n\n{text}")
        if arguments.page is not None:
            page = arguments.page.read_text(encoding="utf-8")
            arguments.page.write_text(replaced(page, f"front-{name}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
