"""`keras.applications` and the models of tfopt at half their operations; writes docs/shrunk-applications.md.

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_applications import FAMILIES, REPOSITORY, _spread

CLASSES = 10
SIDES = {**FAMILIES, "InceptionResNetV2": 75}
"""Height and width of the images, by family of `keras.applications`."""
_WORDS = {"vocabulary_size": 50, "width": 32}
ZOO: dict[str, tuple[tuple[int, ...], int, dict[str, Any]]] = {
    "autoencoder": ((64,), 64, {}),
    "bert": ((12,), 4, {**_WORDS, "blocks": 2, "heads": 4}),
    "ds_cnn": ((49, 10, 1), 12, {}),
    "gpt": ((12,), 50, {"width": 32, "blocks": 2, "heads": 4, "key_value_heads": 2, "positions": "rotary"}),
    "gru_lm": ((12,), 50, {"width": 32, "units": 32, "tie_weights": True}),
    "lstm_classifier": ((12,), 4, {**_WORDS, "units": 32, "bidirectional": True}),
    "lstm_lm": ((12,), 50, {"width": 32, "units": 64}),
    "mlp": ((8, 8), 10, {}),
    "mnist_cnn": ((28, 28), 10, {}),
    "mobilenet_v1_025": ((96, 96, 3), 2, {}),
    "resnet8": ((32, 32, 3), 10, {}),
    "series_autoencoder": ((64, 3), 3, {}),
    "small_cnn": ((28, 28, 1), 10, {}),
    "speech_ds_cnn": ((49, 10), 12, {}),
    "speech_transformer": ((49, 10), 12, {}),
    "ssd_mobilenet": ((64, 64, 3), 3, {}),
    "transformer_classifier": ((12,), 4, {**_WORDS, "blocks": 2, "heads": 4}),
    "unet": ((32, 32, 3), 4, {}),
}
"""Models of `tfopt.backend.models.zoo`: shape of an example, outputs, arguments; random weights."""
EXAMPLES = 16


def work(name: str, files: Sequence[str], out: Path) -> None:
    """The worker: one model."""
    import numpy as np

    from tfopt.backend.equivalence import outputs, random_inputs
    from tfopt.backend.shrinking.allocate import uniform
    from tfopt.backend.shrinking.choices import choices_of
    from tfopt.backend.shrinking.costs import NetworkCosts
    from tfopt.backend.shrinking.graph import cost, groups_of, masked, remove
    from tfopt.backend.shrinking.networks import Pricing
    from tfopt.stages.shrink import Shrink

    model, shape, divisor = _model(name)
    found = groups_of(model)
    choices = choices_of(model, Shrink.model_validate({"to": {"macs": "50%"}, "epochs": 1, "divisor": divisor}))
    prices = Pricing("macs", NetworkCosts(model, choices.groups))
    widths = uniform(choices.choices, prices.of, 0.5 * prices.of(choices.full))
    random = np.random.default_rng(0)
    kept = {
        choice.name: sorted(random.choice(choice.group.units, widths[choice.name] or 1, replace=False).tolist())
        for choice in choices.choices
    }
    smaller = remove(model, kept)
    inputs = random_inputs(model, bounded=True)
    removed = outputs(smaller, inputs)
    before, after = cost(model), cost(smaller)
    result = {
        "shape": shape,
        "layers": len(model.layers),
        "groups": len([group for group in found.groups if group.kind not in ("block", "layer")]),
        "branches": len(found.of_kind("block", "layer")),
        "fixed": sorted({str(group.fixed) for group in found.fixed}),
        "macs": after.macs / before.macs,
        "parameters": after.parameters / before.parameters,
        "masked_difference": _difference(outputs(masked(model, kept), inputs), removed),
        "back_difference": _back_difference(smaller, inputs, removed),
    }
    if result["masked_difference"] > 1e-5:
        raise SystemExit(f"removing and masking differ by {result['masked_difference']:.1e}")
    _write(result, name, out)
    if files:
        _write({**result, "claims": _claims(model, smaller, files)}, name, out)


def _model(name: str) -> tuple[Any, tuple[int, ...], int]:
    """The model with random weights, the shape of an example, and the divisor of its widths."""
    import keras

    keras.utils.set_random_seed(0)
    if name in SIDES:
        from tfopt.backend.bridge import to_tf_keras

        shape = (SIDES[name], SIDES[name], 3)
        build = getattr(keras.applications, name)
        source = build(weights=None, input_shape=shape, classes=CLASSES, classifier_activation=None)
        _spread(source)
        return to_tf_keras(source), shape, 8
    import importlib

    from tfopt.backend.vision.anchors import AnchorGrid

    shape, count, arguments = ZOO[name]
    more = {"anchors": AnchorGrid(shape[:2])} if name == "ssd_mobilenet" else {}
    return (
        importlib.import_module(f"tfopt.backend.models.zoo.{name}").build(shape, count, **arguments, **more),
        shape,
        4,
    )


def _difference(one: Sequence[Any], other: Sequence[Any]) -> float:
    """The largest difference of any output, relative to the largest value of that output."""
    return max(float(abs(left - right).max() / abs(left).max()) for left, right in zip(one, other, strict=True))


def _back_difference(smaller: Any, inputs: Sequence[Any], removed: Sequence[Any]) -> float | None:
    """Of the smaller model as a Keras 3 model; None where it has layers that Keras 3 does not have."""
    from tfopt.backend.bridge import to_keras, without_way_back
    from tfopt.backend.equivalence import outputs

    return None if without_way_back(smaller) else _difference(outputs(to_keras(smaller), inputs), removed)


def _claims(model: Any, smaller: Any, files: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The claims of files of the smaller model, which are made, audited and run as in a recipe."""
    import numpy as np

    from tfopt.backend.data.splits import Data, Split
    from tfopt.backend.equivalence import outputs, random_inputs
    from tfopt.backend.export import tflite
    from tfopt.backend.graph.layer_records import layer_records
    from tfopt.backend.shrinking.details import narrowed_layers
    from tfopt.backend.shrinking.graph import cost
    from tfopt.backend.training import batch_norm
    from tfopt.core.config.files.tflite_variant import Variant
    from tfopt.core.config.training.compile import Compile
    from tfopt.core.contracts.export import ExportContext
    from tfopt.core.records.shrunk import Shrunk

    examples = np.concatenate([random_inputs(smaller, seed, bounded=True)[0] for seed in range(EXAMPLES)])[:EXAMPLES]
    # As the stage does; without it, what passes shrinks from layer to layer, and 8 bits cannot tell images apart.
    batch_norm.estimate(smaller, Split(examples, np.zeros(EXAMPLES)), 0)
    targets = outputs(smaller, [examples])
    names = smaller.output_names
    several = len(names) > 1
    split = Split(examples, dict(zip(names, targets, strict=True)) if several else targets[0])
    loss, metrics = "mean_squared_error", ["mae"]
    judged = {
        "loss": dict.fromkeys(names, loss) if several else loss,
        "metrics": dict.fromkeys(names, metrics) if several else metrics,
    }
    before, after = cost(model), cost(smaller)
    promise = Shrunk(
        stage="shrink",
        layers=tuple(narrowed_layers(model, smaller)),
        macs=(before.macs, after.macs),
        parameters=(before.parameters, after.parameters),
    )
    with tempfile.TemporaryDirectory() as folder:
        context = ExportContext(
            folder=Path(folder),
            data=Data(split, split, split, source="random"),
            compile=Compile.model_validate(judged),
            seed=0,
            emit=lambda event: None,
            layers=layer_records(smaller),
            shrunk=promise,
        )
        variants = {"float32": Variant(), "int8": Variant(quantize="int8", io="int8")}
        records = tflite.export(smaller, {name: variants[name] for name in files}, context)
    return {record.name: [claim.model_dump(mode="json") for claim in record.claims] for record in records}


def _write(result: dict[str, Any], name: str, out: Path) -> None:
    (out / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


_HEAD = """# Models at half the operations

Families of `keras.applications`, and the models that tfopt has by name. Written by
`python benchmarks/shrink_applications.py` with Keras {version}: one model at a time on two shared cores.
Random weights, random examples (images of the smallest size that a family takes, logits of ten classes). Random units
are removed, so that each group keeps the same share and at most half of the multiply-accumulate operations are left,
with widths that are multiples of 8, of tfopt's own models of 4. This tests the removal and the files, not accuracy.

*groups*: groups of channels and widths that can be chosen, and residual branches that can be left out (none were);
*removed and masked*: largest difference of the outputs of the smaller model and of the model of full size in which the
same units are silent, relative to the largest output; *Keras 3*: the smaller model as a Keras 3 model, against itself
(*none*: it has layers that Keras 3 does not have);
*float32*, *int8*: claims of a `.tflite` file that held, of all (dtypes, the same outputs on XNNPACK and the reference
kernels, those of the Keras model, the smaller shapes), after batch normalization was estimated again; int8 without
training, whose outputs can be far from those of a network with random weights (by hand, MobileNetV3Small and
EfficientNetB0 that were trained, shrunk to half the operations and trained with `qat` hold 14 of 14). Latencies are not
in the table: with random weights and images of this size they say little. *not run*: the script has not run it yet;
that removing units of tfopt's own models is masking them, to 1e-5, is a test
(`tests/backend/shrinking/graph/test_zoo.py`).

| model | groups | operations | parameters | removed and masked | Keras 3 | float32 | int8 |
|---|---|---|---|---|---|---|---|
"""


def table(names: list[str], out: Path, before: str) -> str:
    """The table of the results that there are, as Markdown; under it, the claims that did not hold.

    Args:
        names: of the models.
        out: folder of the results.
        before: the page as it is; a model without a result keeps what the page has of it.
    """
    import keras

    rows, broken = [], []
    lines = before.splitlines()
    for name in names:
        file = out / f"{name}.json"
        if not file.exists():
            rows += [one for one in lines if one.startswith(f"| {name} ")] or [f"| {name} | not run | | | | | | |"]
            broken += [one for one in lines if one.startswith(f"- {name}, ")]
            continue
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if "macs" not in found:
            rows.append(f"| {name} | {found['failed']} | | | | | | |")
            continue
        shares = " | ".join(f"{found[key]:.2f}" for key in ("macs", "parameters"))
        gaps = (found[f"{key}_difference"] for key in ("masked", "back"))
        differences = " | ".join("none" if gap is None else f"{gap:.0e}" for gap in gaps)
        about = f"{name} ({found['layers']} layers, {'x'.join(map(str, found['shape']))})"
        claims = found.get("claims", {})
        files = " | ".join(_held(claims.get(kind)) for kind in ("float32", "int8"))
        rows.append(
            f"| {about} | {found['groups']}, {found['branches']} branches | {shares} | {differences} | {files} |"
        )
        broken += [
            f"- {name}, {kind}: {one['claim']}: {one['found'].partition('; with')[0]}"
            for kind, each in claims.items()
            for one in each
            if not one["held"]
        ]
    below = "\n".join(["", "Claims that did not hold:", "", *broken, ""]) if broken else ""
    return _HEAD.format(version=keras.__version__) + "\n".join(rows) + "\n" + below


def _held(claims: list[dict[str, Any]] | None) -> str:
    return "not run" if claims is None else f"{sum(one['held'] for one in claims)} of {len(claims)}"


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models to try; all by default")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "shrunk", help="folder of the results")
    parser.add_argument("--files", nargs="*", default=["float32", "int8"], help="float32, int8; none: no claims")
    parser.add_argument("--seconds", type=float, default=900, help="time for one model")
    parser.add_argument("--table", type=Path, default=REPOSITORY / "docs" / "shrunk-applications.md", help="the table")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.work:
        work(options.work, options.files, options.out)
        return
    for name in options.names or [*SIDES, *ZOO]:
        file = options.out / f"{name}.json"
        if file.exists():
            continue
        command = [sys.executable, str(Path(__file__)), "--work", name, "--out", str(options.out)]
        command += ["--files", *options.files]
        with (options.out / f"{name}.log").open("wb") as log:
            try:
                code = subprocess.run(command, stdout=log, stderr=log, timeout=options.seconds).returncode
                reason = f"exit code {code}"
            except subprocess.TimeoutExpired:
                reason = f"out of time after {options.seconds:.0f} s"
        if not file.exists():
            _write({"failed": reason}, name, options.out)
        print(name, file.read_text(encoding="utf-8"), flush=True)
    before = options.table.read_text(encoding="utf-8") if options.table.exists() else ""
    options.table.write_text(table([*SIDES, *ZOO], options.out, before), encoding="utf-8")
    print(f"{options.table} written")


if __name__ == "__main__":
    main()
