"""Families of `keras.applications` at half their operations; writes docs/shrunk-applications.md.

    python benchmarks/shrink_applications.py [NAME...] [--out build/shrunk] [--seconds 900]

One model at a time, each in a process of its own. Results are kept as one JSON file per model in `--out`; a model that
has one is not tried again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from keras_applications import FAMILIES, REPOSITORY, _spread

CLASSES = 10


def work(name: str, out: Path) -> None:
    """The worker: one model."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tfopt.backend.bridge import to_keras, to_tf_keras
    from tfopt.backend.equivalence import outputs, random_inputs
    from tfopt.backend.shrinking.allocate import uniform
    from tfopt.backend.shrinking.choices import choices_of
    from tfopt.backend.shrinking.costs import NetworkCosts
    from tfopt.backend.shrinking.graph import cost, groups_of, masked, remove
    from tfopt.backend.shrinking.networks import Pricing
    from tfopt.stages.shrink import Shrink

    keras.utils.set_random_seed(0)
    side = FAMILIES[name]
    build = getattr(keras.applications, name)
    source = build(weights=None, input_shape=(side, side, 3), classes=CLASSES, classifier_activation=None)
    _spread(source)
    model = to_tf_keras(source)
    found = groups_of(model)
    choices = choices_of(model, Shrink.model_validate({"to": {"macs": "50%"}, "epochs": 1}))
    prices = Pricing("macs", NetworkCosts(model, choices.groups))
    widths = uniform(choices.choices, prices.of, 0.5 * prices.of(choices.full))
    random = np.random.default_rng(0)
    kept = {
        choice.name: sorted(random.choice(choice.group.units, widths[choice.name] or 1, replace=False).tolist())
        for choice in choices.choices
    }
    smaller = remove(model, kept)
    inputs = random_inputs(model, bounded=True)
    expected, removed = outputs(masked(model, kept), inputs)[0], outputs(smaller, inputs)[0]
    scale = float(np.abs(expected).max())
    before, after = cost(model), cost(smaller)
    back = outputs(to_keras(smaller), inputs)[0]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, "dense.tflite"), Path(folder, "smaller.tflite")]
        for one, file in zip((model, smaller), files, strict=True):
            file.write_bytes(tf.lite.TFLiteConverter.from_keras_model(one).convert())
        sizes = [file.stat().st_size for file in files]
        interpreter = tf.lite.Interpreter(str(files[1]))
        place = interpreter.get_input_details()[0]
        interpreter.resize_tensor_input(place["index"], inputs[0].shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place["index"], inputs[0])
        interpreter.invoke()
        in_file = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    result = {
        "side": side,
        "layers": len(model.layers),
        "groups": len([group for group in found.groups if group.kind not in ("block", "layer")]),
        "branches": len(found.of_kind("block", "layer")),
        "fixed": sorted({str(group.fixed) for group in found.fixed}),
        "macs": after.macs / before.macs,
        "parameters": after.parameters / before.parameters,
        "bytes": sizes[1] / sizes[0],
        "masked_difference": float(np.abs(expected - removed).max()) / scale,
        "back_difference": float(np.abs(back - removed).max()) / scale,
        "file_difference": float(np.abs(in_file - removed).max()) / scale,
    }
    (out / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


_HEAD = """# `keras.applications` at half the operations

Written by `python benchmarks/shrink_applications.py` with Keras {version}: one model at a time on two shared cores.
Random weights, two random images of the smallest size that the model takes, logits of ten classes. Random units are
removed, so that each group keeps the same share and at most half of the multiply-accumulate operations are left,
with widths that are multiples of 8. This tests the removal, not accuracy.

*groups*: groups of channels and widths that can be chosen, and residual branches that can be left out (none were);
*removed and masked*: largest difference of the logits of the smaller model and of the model of full size in which the
same units are silent, relative to the largest logit; *Keras 3*: the smaller model as a Keras 3
model, and *file*: as a float32 `.tflite`, against itself. Latencies are not in the table: with random weights and
images of this size they say little. *not tried*: the script has not run it yet.

| model | groups | operations | parameters | bytes | removed and masked | Keras 3 | file |
|---|---|---|---|---|---|---|---|
"""


def table(names: list[str], out: Path) -> str:
    """The table of the results that there are, as Markdown."""
    import keras

    rows = []
    for name in names:
        file = out / f"{name}.json"
        if not file.exists():
            rows.append(f"| {name} | not tried | | | | | | |")
            continue
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if "failed" in found:
            rows.append(f"| {name} | {found['failed']} | | | | | | |")
            continue
        shares = " | ".join(f"{found[key]:.2f}" for key in ("macs", "parameters", "bytes"))
        differences = " | ".join(f"{found[f'{key}_difference']:.0e}" for key in ("masked", "back", "file"))
        about = f"{name} ({found['layers']} layers, {found['side']}x{found['side']})"
        rows.append(f"| {about} | {found['groups']}, {found['branches']} branches | {shares} | {differences} |")
    return _HEAD.format(version=keras.__version__) + "\n".join(rows) + "\n"


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models to try; all by default")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "shrunk", help="folder of the results")
    parser.add_argument("--seconds", type=float, default=900, help="time for one model")
    parser.add_argument("--table", type=Path, default=REPOSITORY / "docs" / "shrunk-applications.md", help="the table")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.work:
        work(options.work, options.out)
        return
    for name in options.names or list(FAMILIES):
        file = options.out / f"{name}.json"
        if file.exists():
            continue
        command = [sys.executable, str(Path(__file__)), "--work", name, "--out", str(options.out)]
        with (options.out / f"{name}.log").open("wb") as log:
            try:
                code = subprocess.run(command, stdout=log, stderr=log, timeout=options.seconds).returncode
                reason = f"exit code {code}"
            except subprocess.TimeoutExpired:
                reason = f"out of time after {options.seconds:.0f} s"
        if not file.exists():
            file.write_text(json.dumps({"failed": reason}), encoding="utf-8")
        print(name, file.read_text(encoding="utf-8"), flush=True)
    options.table.write_text(table(list(FAMILIES), options.out), encoding="utf-8")
    print(f"{options.table} written")


if __name__ == "__main__":
    main()
