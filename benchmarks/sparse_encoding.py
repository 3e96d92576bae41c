"""Which sparse encodings the kernels of LiteRT compute right: the table of docs/measurements.md.

    python benchmarks/sparse_encoding.py [speed]

Layers with random weights and zeros in several patterns are converted in every mode with EXPERIMENTAL_SPARSITY and run
on each kind of kernels, each in a process of its own: some crash. Takes some minutes. With `speed`: bytes and latency
of one wide Dense layer, dense and sparse, for one example at a time, all files in turns.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.tflite import child_process
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.benchmark import bench
from tfopt.core.claims.kernels import KERNELS

MODES = ("none", "float16", "dynamic", "int8")
WIDE = 2048
RIGHT = 0.05
"""Largest error, over the standard deviation of the outputs, of the nine tenths that differ least."""


def cases() -> Iterator[tuple[str, tuple[int, ...], int, float]]:
    """Name, shape of the kernel, height of the blocks of zeros, share of zeros."""
    for height in (1, 4, 8, 16):
        yield f"Dense 256x128, blocks [{height}, 1]", (256, 128), height, 0.8
    for inputs in (24, 18):
        yield f"Dense {inputs}x128, blocks [16, 1]", (inputs, 128), 16, 0.8
    for size in (1, 3):
        yield f"Conv2D {size}x{size}, single zeros", (size, size, 64, 64), 1, 0.8


def build(shape: tuple[int, ...], height: int, share: float) -> Any:
    """A model of one layer with such zeros."""
    import tf_keras

    random = np.random.default_rng(0)
    layers = tf_keras.layers
    if len(shape) == 2:
        model = tf_keras.Sequential([layers.InputLayer((shape[0],)), layers.Dense(shape[1])])
        blocks = -(-shape[0] // height)
        kept = random.permutation(blocks * shape[1]) >= share * blocks * shape[1]
        mask = kept.reshape(blocks, shape[1]).repeat(height, axis=0)[: shape[0]]
    else:
        model = tf_keras.Sequential([layers.InputLayer((8, 8, shape[2])), layers.Conv2D(shape[3], shape[0])])
        mask = random.random(shape) >= share
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.where(mask, kernel, 0), bias])
    return model


def convert(model: Any, mode: str, examples: np.ndarray, sparse: bool = True) -> bytes:
    """The file of a model, sparse or with its zeros."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY] if sparse else []
    if mode != "none":
        converter.optimizations = [*converter.optimizations, tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode == "int8":
        converter.representative_dataset = lambda: ([row[None]] for row in examples)
    content: bytes = converter.convert()
    return content


def error(path: str, examples: str, expected: str, kernels: litert.Kernels) -> float | None:
    """Runs in a child process: the error of a file; None for NaN."""
    model = litert.open_file(path, 1, kernels)
    (name,) = model.inputs
    made = []
    inputs = np.load(examples)
    model.prepare({name: inputs[:1]})
    for row in inputs:
        model.set_inputs({name: row[None]})
        made.append(next(iter(model.predict().values())))
    found, wanted = np.concatenate(made), np.load(expected)
    if np.isnan(found).any():
        return None
    differences = np.sort(((found - wanted) ** 2).ravel())
    return float(np.sqrt(differences[: int(0.9 * differences.size)].mean()) / wanted.std())


def outcome(path: Path, folder: Path, kernels: litert.Kernels) -> str:
    """What one kind of kernels makes of a file, in a word."""
    arguments = {
        "path": str(path), "examples": str(folder / "x.npy"), "expected": str(folder / "y.npy"), "kernels": kernels,
    }  # fmt: skip
    try:
        found = child_process.call("benchmarks.sparse_encoding:error", arguments)
    except child_process.ProcessFailed:
        return "refused"
    except child_process.ProcessCrashed:
        return "crash"
    return "NaN" if found is None else "right" if found < RIGHT else f"wrong ({found:.1f})"


def main() -> None:
    """Prints the table."""
    print(f"| layer and zeros | {' | '.join(MODES)} |\n|---|{'---|' * len(MODES)}")
    for name, shape, height, share in cases():
        model = build(shape, height, share)
        examples = np.random.default_rng(1).uniform(-1, 1, (16, *model.input_shape[1:])).astype(np.float32)
        cells = []
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            np.save(folder / "x.npy", examples)
            np.save(folder / "y.npy", np.asarray(model(examples)))
            for mode in MODES:
                path = folder / f"{mode}.tflite"
                path.write_bytes(convert(model, mode, examples))
                found = {kernels: outcome(path, folder, kernels) for kernels in litert.RESOLVERS}
                same = len(set(found.values())) == 1
                words = found["default"] if same else "; ".join(f"{KERNELS[k]}: {w}" for k, w in found.items())
                cells.append(words)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def speed() -> None:
    """Prints bytes and latency of a wide Dense layer against its dense float file."""
    model = build((WIDE, WIDE), 16, 0.8)
    examples = np.random.default_rng(1).uniform(-1, 1, (16, WIDE)).astype(np.float32)
    with tempfile.TemporaryDirectory() as temporary:
        files = []
        for mode in ("none", "int8"):
            for sparse in (False, True):
                files.append(Path(temporary, f"{mode}{' sparse' if sparse else ''}.tflite"))
                files[-1].write_bytes(convert(model, mode, examples, sparse))
        print("| kernels | file | bytes | latency | to dense float32 |\n|---|---|---|---|---|")
        for kernels in ("default", "builtin"):
            rows = bench(files, 1, 60, kernels=[kernels])
            for row in rows:
                ratio = rows[0]["latency_ms"] / row["latency_ms"]
                print(f"| {kernels} | {row['name']} | {row['bytes']:,} | {row['latency_ms']:.3f} ms | {ratio:.1f}x |")


if __name__ == "__main__":
    speed() if sys.argv[1:] == ["speed"] else main()
