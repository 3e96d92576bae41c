"""What each choice of `calibration` is worth: the table of docs/calibration.md.

    python benchmarks/calibration.py [--seeds 0 1 2] [--page docs/calibration.md]

A small depthwise network on 8x8 digits and a small transformer on their rows, trained for some epochs, as int8 files of
each calibration. Then the same two models with outlier channels: between layers, channels are multiplied by random
factors, and the kernels that read them divided, so that the float model computes the same. Large language models have
such channels after training; small models hardly do. About two minutes on two cores for a seed.

| column | meaning |
|---|---|
| error | root mean square of the file's error in the logits, over their standard deviation, in percent |
| same | share of the test images that file and float model put in the same class |
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import tf_keras  # noqa: E402
from measurements import replaced, table  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from tf_keras import layers  # noqa: E402

from tfopt.backend.calibration.rewrites.weight_changes import searches, weight_changes  # noqa: E402
from tfopt.backend.export.convert import convert_one  # noqa: E402
from tfopt.backend.export.keras_files.saved_model import signature_of, write_saved_model  # noqa: E402
from tfopt.backend.tflite import predict  # noqa: E402
from tfopt.core.config.files.tflite_variant import Variant  # noqa: E402

TRAIN, CALIBRATION, SPREAD = 1200, 128, 1.5
"""Training images (the other 597 are for testing), calibration images, standard deviation of outliers' logarithms."""

CHOICES: dict[str, dict[str, Any]] = {
    "the default": {},
    "`range: percentile` (99.99%)": {"range": "percentile"},
    "`range: percentile`, `percentile: 99.9%`": {"range": "percentile", "percentile": "99.9%"},
    "`range: mse`": {"range": "mse"},
    "`equalize: true`": {"equalize": True},
    "`equalize: true`, `range: mse`": {"equalize": True, "range": "mse"},
    "`smooth: 0.5`": {"smooth": 0.5},
    "`smooth: 0.75`": {"smooth": 0.75},
    "`smooth: 0.5`, `range: mse`": {"smooth": 0.5, "range": "mse"},
}


def depthwise() -> tf_keras.Model:
    """Depthwise-separable convolutions with batch normalization."""
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(24, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    for number in range(1, 4):
        x = layers.DepthwiseConv2D(3, 1 + number % 2, padding="same", use_bias=False, name=f"depth{number}")(x)
        x = layers.ReLU(name=f"depth{number}_relu")(layers.BatchNormalization(name=f"depth{number}_bn")(x))
        x = layers.Conv2D(24, 1, use_bias=False, name=f"point{number}")(x)
        x = layers.ReLU(name=f"point{number}_relu")(layers.BatchNormalization(name=f"point{number}_bn")(x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return tf_keras.Model(inputs, layers.Dense(10, name="logits")(x), name="depthwise")


def transformer() -> tf_keras.Model:
    """Two blocks with normalization first, on eight rows of eight pixels."""
    x = inputs = layers.Input((8, 8), name="rows")
    x = layers.Dense(32, name="embedding")(x)
    for number in (1, 2):
        y = layers.LayerNormalization(name=f"norm{number}a")(x)
        x = layers.Add(name=f"add{number}a")([x, layers.MultiHeadAttention(4, 8, name=f"heads{number}")(y, y)])
        y = layers.LayerNormalization(name=f"norm{number}b")(x)
        y = layers.Dense(32, name=f"down{number}")(layers.Dense(64, activation="gelu", name=f"up{number}")(y))
        x = layers.Add(name=f"add{number}b")([x, y])
    x = layers.Flatten(name="flat")(x)
    return tf_keras.Model(inputs, layers.Dense(10, name="logits")(x), name="transformer")


MODELS: Mapping[str, tuple[Callable[[], tf_keras.Model], int, str]] = {
    "depthwise": (depthwise, 12, "smooth"),
    "transformer": (transformer, 20, "equalize"),
}
"""Model, epochs, and the key that is not for it."""


def digits(model: tf_keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Images as a model takes them, and labels."""
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, *model.input_shape[1:]), labels.astype(np.int32)


def with_outliers(model: tf_keras.Model, seed: int) -> None:
    """Gives a model outlier channels, without a change of what it computes."""
    random = np.random.default_rng(seed)
    for smooth in (False, True):
        for chain in (chain for search in searches(model, smooth=smooth) for chain in search.chains):
            factors = np.exp(random.normal(0, SPREAD, chain.channels))
            for parts, by in ((chain.made_by, factors), (chain.read_by, 1 / factors)):
                for part in parts:
                    part.variable.assign(part.times(part.variable.numpy(), by))


def measures(model: tf_keras.Model, choice: dict[str, Any]) -> tuple[float, float]:
    """Error of the logits of an int8 file over their spread, and share of equal predictions."""
    images, _ = digits(model)
    variant = Variant.model_validate({"quantize": "int8", "calibration": {"examples": CALIBRATION, **choice}})
    examples, test = images[:CALIBRATION], images[TRAIN:]
    expected = model.predict(test, verbose=0)
    rewritten = weight_changes(model, variant.calibrating, examples) if variant.calibrating.rewrites else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with rewritten.applied() if rewritten else nullcontext():
            write_saved_model(model, signature_of(model), folder / "model", 1)
        (port,) = model.input_names
        np.save(folder / "examples.npy", examples)
        np.save(folder / "test.npy", test)
        file = folder / "file.tflite"
        file.write_bytes(convert_one(str(folder / "model"), variant, {port: str(folder / "examples.npy")}))
        (found,) = predict.run_file(file, {port: folder / "test.npy"}, folder).outputs.values()
    error = float(np.sqrt(np.mean((found - expected) ** 2)) / expected.std())
    return error, float(np.mean(found.argmax(axis=-1) == expected.argmax(axis=-1)))


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in arguments.seeds:
        for name, (build, epochs, not_for) in MODELS.items():
            tf_keras.utils.set_random_seed(seed)
            model = build()
            images, labels = digits(model)
            loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(tf_keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
            model.fit(images[:TRAIN], labels[:TRAIN], batch_size=32, epochs=epochs, verbose=0)
            accuracy = model.evaluate(images[TRAIN:], labels[TRAIN:], verbose=0)[1]
            for kind in ("trained", "with outliers"):
                if kind != "trained":
                    with_outliers(model, seed)
                for choice, keys in CHOICES.items():
                    if not_for not in keys:
                        found.setdefault(f"{name}|{kind}|{choice}", []).append(measures(model, keys))
            print(f"seed {seed}, {name}: float accuracy {accuracy:.1%}", flush=True)
    columns = [f"{name}|{kind}" for name in MODELS for kind in ("trained", "with outliers")]
    rows = [[choice, *(_cell(found.get(f"{column}|{choice}")) for column in columns)] for choice in CHOICES]
    heads = [f"{name}, {kind}: error in %, same in %" for name, kind in (column.split("|") for column in columns)]
    made = table(["calibration", *heads], rows)
    print(made)
    if arguments.page is not None:
        page = arguments.page.read_text(encoding="utf-8")
        arguments.page.write_text(replaced(page, "calibration", made), encoding="utf-8")


def _cell(values: list[tuple[float, float]] | None) -> str:
    if values is None:
        return ""
    errors = [100 * error for error, _ in values]
    spread = f" ± {statistics.stdev(errors):.1f}" if len(errors) > 1 else ""
    return f"{statistics.fmean(errors):.1f}{spread}, {100 * statistics.fmean(same for _, same in values):.1f}"


if __name__ == "__main__":
    main()
