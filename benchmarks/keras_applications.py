"""The families of `keras.applications`, with random weights, through every step of tfopt; writes docs/applications.md.

    python benchmarks/keras_applications.py [NAME...] [--out build/applications] [--seconds 1200] [--size 64]

One model at a time, each in a process of its own, the small ones first. Results are kept as one JSON file per model in
`--out`; a model that has one is not tried again, so a walk that was stopped resumes where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_layers import OUT_OF_TIME, outcome, write_death

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY)]

FAMILIES = {
    "MobileNet": 32, "MobileNetV2": 32, "MobileNetV3Small": 32, "VGG16": 32, "ResNet50": 32, "MobileNetV3Large": 32,
    "ResNet50V2": 32, "EfficientNetB0": 32, "EfficientNetV2B0": 32, "ConvNeXtTiny": 32, "InceptionV3": 75,
    "Xception": 71, "DenseNet121": 32, "NASNetMobile": 32,
}  # fmt: skip
"""Models with the smallest height and width they take, in the order in which they are tried."""
EXAMPLES = 4
CLASSES = 10


def work(name: str, size: int, out: Path) -> None:
    """The worker: one model."""
    import journey
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    side = max(size, FAMILIES.get(name, size))
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(side, side, 3), classes=CLASSES, classifier_activation=None)
    _spread(model)
    # In MobileNetV3, EfficientNet and ConvNeXt the scaling of 0..255 is a part of the model.
    largest = 255 if any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in model.layers) else 1
    images = np.random.default_rng(0).uniform(0, largest, (EXAMPLES, side, side, 3)).astype("float32")
    found = journey.travel(name, model, images, batch_size=2, partial=out / f"{name}.partial")
    found.numbers |= {"side": side, "layers": len(model.layers), "parameters": model.count_params()}
    found.write(out / f"{name}.json")


def _spread(model: Any) -> None:
    """Random kernels that keep the size of what passes (He et al. 2015).

    As Keras initializes them, what passes shrinks from layer to layer: the logits of MobileNet are 1e-21, the
    probabilities of every example the same, and a file with constant outputs would pass. ConvNeXt also scales its
    blocks by 1e-6.
    """
    import keras
    import numpy as np

    random = np.random.default_rng(1)
    for layer in model.layers:
        for variable in layer.trainable_variables:
            if len(variable.shape) >= 2:
                depthwise = isinstance(layer, keras.layers.DepthwiseConv2D) or "depthwise" in variable.name
                inputs = np.prod(variable.shape[:2] if depthwise else variable.shape[:-1])
                variable.assign(random.normal(0, (2 / inputs) ** 0.5, variable.shape))
            elif type(layer).__name__ == "LayerScale":
                variable.assign(np.full(variable.shape, 0.5))


def walk(names: Sequence[str], size: int, out: Path, seconds: float) -> None:
    """Tries the models that have no result yet, one after the other."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = out / f"{name}.json"
        if file.exists():
            continue
        command = [sys.executable, str(Path(__file__)), "--work", name, "--size", str(size), "--out", str(out)]
        with (out / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            try:
                code = process.wait(timeout=seconds)
                reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                reason = f"{OUT_OF_TIME} after {seconds:.0f} s"
        if not file.exists():
            write_death(out, name, reason)
        found = json.loads(file.read_text(encoding="utf-8"))
        print(name, json.dumps(found["steps"]), flush=True)


def table(names: Sequence[str], out: Path, seconds: float) -> str:
    """The table of the results that there are, as Markdown."""
    import keras

    rows = []
    for name in names:
        file = out / f"{name}.json"
        if not file.exists():
            rows.append(f"| {name} | not tried | | | | | |")
            continue
        found = json.loads(file.read_text(encoding="utf-8"))
        numbers, steps = found.get("numbers", {}), found["steps"]
        cells = [
            f"**{_verdict(found)}**",
            _with(steps.get("bridge", ""), numbers.get("bridge_difference"), "{:.1g}"),
            _with(steps.get("prune", ""), numbers.get("sparsity"), "{:.1%} zeros"),
            _with(steps.get("keras", ""), numbers.get("keras_difference"), "{:.1g}"),
            _planned(_with(steps.get("qat", ""), numbers.get("qat_difference"), "{:.1%}"), found.get("planned", {})),
            _with(steps.get("int8", ""), numbers.get("int8_difference"), "{:.1%}"),
        ]
        known = "layers" in numbers
        about = f"{name} ({numbers['layers']} layers, {numbers['side']}x{numbers['side']})" if known else name
        rows.append(f"| {about} | " + " | ".join(cells) + " |")
    return _HEAD.format(version=keras.__version__, examples=EXAMPLES, seconds=seconds) + "\n".join(rows) + "\n"


_HEAD = """# What works with `keras.applications`

Written by `python benchmarks/keras_applications.py --seconds {seconds:.0f}` with Keras {version}: one model at a time,
{seconds:.0f} s for each on two shared cores. Random weights, {examples} random images of the smallest size that the
model takes, and logits of ten classes: probabilities would all be similar. This tests the path, not accuracy. Two
steps of training at a learning rate of 1e-5 for *prune* (most models with clipped gradients, without which ResNet50
returns NaN), none for 8 bits: ranges are calibrated.

*to tf_keras*: largest difference of the logits after the conversion, relative to the largest logit where that is
above 1; *back to Keras 3*: the same after pruning and a save and load of the `.keras` file; *8 bits in training*:
wrapped and calibrated, the largest difference to the float model relative to the range of its logits, and the layers
that are not simulated and why; *int8 file*: float operators, and the largest difference to the model wrapped for 8
bits, relative to the same range; more than 20% is called inaccurate.

| model | outcome | to tf_keras | prune to 50% | back to Keras 3 | 8 bits in training | int8 file |
|---|---|---|---|---|---|---|
"""


def _verdict(found: dict[str, Any]) -> str:
    late = any(OUT_OF_TIME in step for step in found["steps"].values())
    return OUT_OF_TIME if late else outcome(found)


def _with(said: str, number: float | None, spelled: str) -> str:
    text = said.replace("|", "\\|")
    return text if number is None else f"{text} ({spelled.format(number)})"


def _planned(said: str, planned: dict[str, str]) -> str:
    """Why layers are not simulated: each reason once, with the first layers it holds for."""
    reasons: dict[str, list[str]] = {}
    for layer, how in planned.items():
        reasons.setdefault(how, []).append(layer)
    planned_layers = [
        f"{', '.join(layers[:2])}{f' and {len(layers) - 2} more' if len(layers) > 2 else ''}: {how}"
        for how, layers in reasons.items()
    ]
    return said + (f" – {'; '.join(planned_layers)}" if planned_layers else "")


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models to try; all by default")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "applications", help="folder of the results")
    parser.add_argument("--seconds", type=float, default=1200, help="time for one model")
    parser.add_argument(
        "--size", type=int, default=32, help="height and width of the images, where the model allows it"
    )
    parser.add_argument("--table", type=Path, default=REPOSITORY / "docs" / "applications.md", help="the table")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    if options.work:
        work(options.work, options.size, options.out)
        return
    walk(options.names or list(FAMILIES), options.size, options.out, options.seconds)
    options.table.write_text(table(list(FAMILIES), options.out, options.seconds), encoding="utf-8")
    print(f"{options.table} written")


if __name__ == "__main__":
    main()
