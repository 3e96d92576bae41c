"""Accuracy against bytes: every TFLite mode of tfopt, plain converter quantization, and litert-quantizer's recipes.

    python benchmarks/tflite_front.py [--tasks resnet8 ds_cnn] [--seeds 0 1 2] [--data ../shared/data] [--out FOLDER]
                                      [--page docs/measurements.md]

ResNet-8 on CIFAR-10 (8,000 training and 1,000 test images) and a small DS-CNN on spoken digits (2,700 and 300
recordings, log-mel features). One run for each task and seed trains a model and makes files of it with tfopt; the same
trained model, unchanged, goes through `tf.lite.TFLiteConverter` and the stock recipes of litert-quantizer. Trainings
are short: the differences between files of one model are what is measured. About 5 CPU minutes for a task and seed;
finished stages stay in `--out`. With `--page`, the tables between the comments `front-TASK` are replaced.

| column | meaning |
|---|---|
| by | tfopt; `converter`: TensorFlow's, as its guides say; `quantizer`: a stock recipe of litert-quantizer |
| beaten by | the most accurate file of the others that is no larger and more accurate |
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "recipes"), str(Path(__file__).parent)]

Examples = tuple[np.ndarray, np.ndarray]

CALIBRATION = 256


@dataclass(frozen=True)
class Task:
    """A data set and a model.

    Args:
        data: the recipe's block, for a folder of data sets.
        model: the recipe's block.
        epochs: of training, and of quantization-aware training.
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
        },
        {"source": "resnet8"},
        (5, 1),
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
        "int8-equalized": {"quantize": "int8", "calibration": {"equalize": True}},
        "int16x8": {"quantize": "int16x8"},
        "weight_only_int8": {"quantize": "weight_only_int8"},
        "int4": {"quantize": "int4"},
        "int4-mse": {"quantize": "int4", "algorithm": "mse"},
        "int4-octav": {"quantize": "int4", "algorithm": "octav"},
        "int4-gptq": {"quantize": "int4", "algorithm": "gptq"},
        "int4-mixed": {"quantize": "int4", "algorithm": "mse", "layers": rules},
        "int2": {"quantize": "int2"},
    }


AFTER_QAT: dict[str, dict[str, Any]] = {"int8-qat": {"quantize": "int8"}, "int16x8-qat": {"quantize": "int16x8"}}
"""Files of the model after quantization-aware training, by name."""


@dataclass(frozen=True)
class Point:
    """One file.

    Args:
        by: who made it.
        name: its mode.
        bytes: its size.
        accuracy: on the test split.
    """

    by: str
    name: str
    bytes: int
    accuracy: float


def of_tfopt(name: str, seed: int, data: Path, out: Path) -> Iterator[tuple[Any, list[Point]]]:
    """Two runs of tfopt that share the trained model, and their files."""
    import tfopt

    task = TASKS[name]
    train = {
        "train": {
            "epochs": task.epochs[0],
            "learning_rate": {"kind": "cosine", "initial": 4e-3, "final": 1e-5},
        }
    }
    qat = {"qat": {"epochs": task.epochs[1], "learning_rate": {"kind": "cosine", "initial": 3e-4, "final": 1e-5}}}
    chains = {"trained": ([train], variants(task.ends)), "qat": ([train, qat], AFTER_QAT)}
    for chain, (stages, files) in chains.items():
        exports = {"tflite": files, "keras": {}} if chain == "trained" else {"tflite": files}
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
        yield (
            run,
            [
                Point("tfopt", each.name, each.bytes, each.measures["accuracy"])
                for each in made
                if "accuracy" in each.measures
            ],
        )


def of_others(name: str, run: Any, data: Path, work: Path) -> Iterator[Point]:
    """The trained model through the converter, as its guides say, and its float32 file through stock recipes."""
    from tfopt.backend.data.load import load
    from tfopt.core.config.data import DataConfig

    splits = load(DataConfig.model_validate(TASKS[name].data(data)))
    examples = splits.train.take(CALIBRATION, 0).inputs
    made = {f"converter {mode}": content for mode, content in _converted(run, examples).items()}
    float32 = (run.folder / "export" / "float32.tflite").read_bytes()
    made |= {f"quantizer {recipe}": content for recipe, content in _quantized(float32, examples).items()}
    for label, content in made.items():
        by, _, mode = label.partition(" ")
        if isinstance(content, str):
            print(f"{name} {label}: {content}")
            continue
        file = work / f"{label.replace(' ', '-')}.tflite"
        file.write_bytes(content)
        accuracy = _accuracy(file, splits.test, work)
        if accuracy is not None:
            yield Point(by, mode, len(content), accuracy)


def _converted(run: Any, examples: np.ndarray) -> dict[str, bytes | str]:
    """TensorFlow's post-training quantization of the Keras model."""
    import tensorflow as tf
    import tf_keras

    model = tf_keras.models.load_model(run.folder / "export" / "model.keras", compile=False)
    fixed = tf_keras.Model(batch := tf_keras.Input(model.input_shape[1:], 1), model(batch))

    def representative() -> Iterator[list[np.ndarray]]:
        yield from ([example[np.newaxis]] for example in examples)

    def convert(mode: str) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if mode == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if mode in ("int8", "int16x8"):
            converter.representative_dataset = representative
        if mode == "int16x8":
            sixteen = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [sixteen]
        content: bytes = converter.convert()
        return content

    return {mode: _attempt(convert, mode) for mode in ("float16", "dynamic", "int8", "int16x8")}


def _quantized(float32: bytes, examples: np.ndarray) -> dict[str, bytes | str]:
    """Stock recipes of litert-quantizer on the float32 file."""
    from litert_quantizer import quantizer, recipe

    stock = {
        "dynamic_wi8": (recipe.dynamic_wi8_afp32, False),
        "dynamic_wi4": (recipe.dynamic_wi4_afp32, False),
        "weight_only_wi8": (recipe.weight_only_wi8_afp32, False),
        "weight_only_wi4": (recipe.weight_only_wi4_afp32, False),
        "static_wi8_ai8": (recipe.static_wi8_ai8, True),
        "static_wi8_ai16": (recipe.static_wi8_ai16, True),
    }

    def quantize(name: str) -> bytes:
        made, calibrated = stock[name]
        engine = quantizer.Quantizer(bytearray(float32), made())
        found = None
        if calibrated:
            (port,) = _input_names(float32)
            found = engine.calibrate({"serving_default": [{port: example[np.newaxis]} for example in examples]})
        return bytes(engine.quantize(found).quantized_model)

    return {name: _attempt(quantize, name) for name in stock}


def _attempt(make: Callable[[str], bytes], name: str) -> bytes | str:
    try:
        return make(name)
    except Exception as error:  # noqa: BLE001 -- code of others; what it cannot make is a row that is left out, and said
        return f"{type(error).__name__}: {error}".splitlines()[0]


def _input_names(content: bytes) -> list[str]:
    from tfopt.backend.tflite import flatbuffer

    return [flatbuffer.text(port.name) for port in flatbuffer.parse(content).model.signatureDefs[0].inputs]


def _accuracy(file: Path, test: Any, work: Path) -> float | None:
    """Share of right predictions; None, with the reason, for a file that does not run."""
    from tfopt.backend.tflite import predict
    from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed

    (name,) = _input_names(file.read_bytes())
    np.save(work / "test.npy", test.inputs)
    try:
        (outputs,) = predict.run_file(file, {name: work / "test.npy"}, work, 2).outputs.values()
    except (ProcessCrashed, ProcessFailed) as error:
        print(f"{file.name}: {error}")
        return None
    return float(np.mean(outputs.argmax(axis=-1) == test.targets))


def measured(name: str, seed: int, data: Path, out: Path) -> list[Point]:
    """All files of a task and seed; kept in `out`, so that another call adds seeds only."""
    kept = out / f"{name}-{seed}.json"
    if kept.exists():
        return [Point(**each) for each in json.loads(kept.read_text(encoding="utf-8"))]
    (trained, points), (_, after) = of_tfopt(name, seed, data, out)
    with tempfile.TemporaryDirectory() as work:
        points = [*points, *after, *of_others(name, trained, data, Path(work))]
    kept.write_text(json.dumps([vars(point) for point in points]), encoding="utf-8")
    return points


def front(seeds: Sequence[Sequence[Point]]) -> tuple[str, list[str]]:
    """The table of a task, smallest file first, and a phrase for each file of the others that no file of tfopt
    matches in size (1 % more at most) and accuracy.

    Args:
        seeds: the files of each seed.
    """
    from measurements import kilobytes, table

    groups: dict[tuple[str, str], list[Point]] = {}
    for points in seeds:
        for point in points:
            groups.setdefault((point.by, point.name), []).append(point)
    whole = {key: group for key, group in groups.items() if len(group) == len(seeds)}
    mean = {
        key: Point(
            *key,
            round(statistics.fmean(p.bytes for p in group)),
            round(statistics.fmean(p.accuracy for p in group), 6),  # float32 and float64 differ in the eighth digit
        )
        for key, group in whole.items()
    }
    rows, lost = [], []
    for key, point in sorted(mean.items(), key=lambda item: (item[1].bytes, -item[1].accuracy)):
        others = [other for other in mean.values() if (other.by == "tfopt") != (point.by == "tfopt")]
        better = [other for other in others if other.bytes <= point.bytes and other.accuracy > point.accuracy]
        best = max(better, key=lambda other: (other.accuracy, -other.bytes), default=None)
        accuracies = [100 * each.accuracy for each in whole[key]]
        spread = f" ± {statistics.stdev(accuracies):.1f}" if len(accuracies) > 1 else ""
        beaten = "" if best is None else f"{best.by} {best.name} (+{100 * (best.accuracy - point.accuracy):.1f})"
        shown = f"{statistics.fmean(accuracies):.1f}{spread}"
        rows.append([point.by, f"`{point.name}`", kilobytes(point.bytes), shown, beaten])
    for point in (point for point in mean.values() if point.by != "tfopt"):
        mine = [each for each in mean.values() if each.by == "tfopt" and each.bytes <= 1.01 * point.bytes]
        best = max(mine, key=lambda each: each.accuracy, default=None)
        if best is None or best.accuracy < point.accuracy:
            what = f"{point.by} {point.name} ({kilobytes(point.bytes)}, {100 * point.accuracy:.1f} %)"
            why = (
                "no file of tfopt is as small" if best is None else f"{best.name} of tfopt, {100 * best.accuracy:.1f} %"
            )
            lost.append(f"{what}: {why}")
    return table(["by", "file", "size", "accuracy in %", "beaten by"], rows), lost


def section(name: str, seeds: Mapping[int, Sequence[Point]]) -> str:
    """The table of a task with what it says."""
    made, lost = front(list(seeds.values()))
    which = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    good = "For every file of the others there is one of tfopt that is no larger (1 % at most) and no less accurate"
    said = f"Not on the front ({which}): {'; '.join(lost)}." if lost else f"{good} ({which})."
    return f"{made}\n{said}\n"


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
        text = section(name, found)
        print(f"{name}\n\n{text}")
        if arguments.page is not None:
            page = arguments.page.read_text(encoding="utf-8")
            arguments.page.write_text(replaced(page, f"front-{name}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
