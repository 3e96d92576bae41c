"""Does the int8 file compute what quantization-aware training simulates, and is it better than plain int8?

    python benchmarks/qat_agreement.py [NAME...] [--seeds 0 1 2] [--page docs/measurements.md]

Tiny models learn a fixed function of random inputs: float training, then QAT; both become int8 files. All in one
process, about fifteen minutes on two cores. With `--page` and without names, the table between the comments
`qat_agreement` is replaced.

| column | meaning |
|---|---|
| within a quantum | share of outputs where file and simulated model differ by at most one step of the output's scale |
| two kernels | the same between two kinds of kernels that run the file: XNNPACK, as in all other columns, and plain |
| simulated | error of the model that simulates 8 bits; all errors are relative to the spread of the targets |
| pairs | pairs of DEQUANTIZE and QUANTIZE inside the file, which has integer inputs and outputs |
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import tf_keras  # noqa: E402
from measurements import mean_and_spread, replaced, table  # noqa: E402
from tf_keras import layers  # noqa: E402

from tfopt.backend.export.convert import convert_one  # noqa: E402
from tfopt.backend.export.keras_files.saved_model import (  # noqa: E402
    named_inputs,
    needs_fixed_batch,
    signature_of,
    write_saved_model,
)
from tfopt.backend.layers import PositionEmbedding  # noqa: E402
from tfopt.backend.quantization.calibration import calibrate  # noqa: E402
from tfopt.backend.quantization.canonical import canonicalize  # noqa: E402
from tfopt.backend.quantization.input_ranges import input_ranges, with_ranges  # noqa: E402
from tfopt.backend.quantization.integer_form import integer_form  # noqa: E402
from tfopt.backend.quantization.weight_constraints import WeightConstraints  # noqa: E402
from tfopt.backend.quantization.wrapping import wrap  # noqa: E402
from tfopt.backend.tflite.flatbuffer import read  # noqa: E402
from tfopt.backend.tflite.interpreter import Kernels, open_file  # noqa: E402
from tfopt.core.config.files.tflite_variant import Variant  # noqa: E402
from tfopt.core.config.quantization import Quantization  # noqa: E402

EXAMPLES, TEST, CALIBRATION, OUTPUTS = 2000, 500, 256, 3
TOKENS, WIDTH = 12, 16
FLOAT_EPOCHS, QAT_EPOCHS = 8, 3

Body = Callable[[], list[layers.Layer]]


def _attention(causal: bool) -> Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer]:
    def apply(x: layers.Layer) -> layers.Layer:
        return layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x, use_causal_mask=causal)])

    return apply


def _additive(x: layers.Layer) -> layers.Layer:
    return layers.Add()([x, layers.AdditiveAttention()([layers.Dense(16)(x), layers.Dense(16)(x)])])


def _embedded() -> list[layers.Layer]:
    return [layers.Embedding(TOKENS, WIDTH), PositionEmbedding(8)]


def _block(x: layers.Layer) -> layers.Layer:
    """One block of a decoder: causal attention and two Dense layers, each behind a normalization."""
    x = _attention(causal=True)(layers.LayerNormalization()(x))
    inner = layers.Dense(2 * WIDTH, "gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(WIDTH)(inner)])


def _norm_relu() -> list[layers.Layer]:
    return [layers.BatchNormalization(), layers.ReLU()]


MODELS: Mapping[str, tuple[tuple[int, ...], Body]] = {
    "Dense": ((16,), lambda: [layers.Dense(32, "relu"), layers.Dense(32, "relu")]),
    "Dense + BN": ((16,), lambda: [layers.Dense(32), *_norm_relu(), layers.Dense(32, use_bias=False), *_norm_relu()]),
    "Conv2D + BN": (
        (6, 6, 3),
        lambda: [layers.Conv2D(16, 3, padding="same", use_bias=False), *_norm_relu(), layers.Flatten()],
    ),
    "DepthwiseConv2D + BN": (
        (6, 6, 3),
        lambda: [layers.DepthwiseConv2D(3, padding="same", depth_multiplier=4), *_norm_relu(), layers.Flatten()],
    ),
    "Conv2DTranspose + BN": (
        (4, 4, 3),
        lambda: [layers.Conv2DTranspose(12, 3, strides=2, padding="same"), *_norm_relu(), layers.Flatten()],
    ),
    "Conv1D": (
        (12, 4),
        lambda: [layers.Conv1D(16, 3, padding="causal", activation="relu"), layers.Conv1D(16, 3), layers.Flatten()],
    ),
    "LSTM": ((8, 4), lambda: [layers.LSTM(16), layers.Dense(16, "relu")]),
    "additive attention": (
        (8, 16),
        lambda: [_additive, layers.Dense(16, "relu"), layers.Flatten()],
    ),
    "attention": ((8, 16), lambda: [_attention(causal=False), layers.Dense(16, "relu"), layers.Flatten()]),
    "causal attention": ((8, 16), lambda: [_attention(causal=True), layers.Dense(16, "relu"), layers.Flatten()]),
    "decoder, one block": ((8,), lambda: [*_embedded(), _block, layers.LayerNormalization(), layers.Flatten()]),
    "decoder, two blocks": (
        (8,),
        lambda: [*_embedded(), _block, _block, layers.LayerNormalization(), layers.Flatten()],
    ),
}
"""Shape of the inputs, and the layers before the last Dense."""

INPUTS: Mapping[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "bounded": lambda random, shape: random.uniform(0, 1, shape).astype(np.float32),
    "gaussian": lambda random, shape: random.normal(0, 1, shape).astype(np.float32),
    "tokens": lambda random, shape: random.integers(0, TOKENS, shape).astype(np.int32),
}


@dataclass(frozen=True)
class Result:
    """What one model showed; the fields are the columns of the table."""

    agreement: float
    kernels: float
    float_error: float
    plain_error: float
    simulated_error: float
    file_error: float
    pairs: int


def measure(name: str, inputs: str, seed: int, work: Path) -> Result:
    """Trains one model, makes both files and compares them."""
    tf_keras.utils.set_random_seed(seed)
    shape, body = MODELS[name]
    random = np.random.default_rng(seed)
    x = INPUTS[inputs](random, (EXAMPLES + TEST, *shape))
    y = _targets(x, random)
    train, test = slice(0, EXAMPLES), slice(EXAMPLES, None)
    model = _built(shape, x.dtype, body())
    _fit(model, x[train], y[train], FLOAT_EPOCHS, 5e-3)
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [x[train][:CALIBRATION]])
    simulated = _simulated(wrapped, x[train], y[train])
    form = integer_form(model)
    plain = _File(model, model if form is None else form.model, x[train][:CALIBRATION], work / "plain")
    qat = _File(model, wrapped, x[train][:CALIBRATION], work / "qat")
    expected, found = simulated.predict(x[test], verbose=0), qat.predict(x[test])
    reference = qat.predict(x[test], "reference")

    def within(one: np.ndarray, other: np.ndarray) -> float:
        return float((np.abs(one - other) <= qat.quantum * 1.001).mean())

    def error(outputs: np.ndarray) -> float:
        return float(np.sqrt(np.mean((outputs - y[test]) ** 2)) / y[test].std())

    return Result(
        within(found, expected),
        within(found, reference),
        error(model.predict(x[test], verbose=0)),
        error(plain.predict(x[test])),
        error(expected),
        error(found),
        qat.pairs,
    )


def _targets(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    flat = x.reshape(len(x), -1).astype(np.float32)
    flat = flat / flat.std()
    hidden = np.tanh(flat @ random.normal(size=(flat.shape[1], 12)) / np.sqrt(flat.shape[1]))
    return (hidden @ random.normal(size=(12, OUTPUTS))).astype(np.float32)


def _built(
    shape: tuple[int, ...], dtype: np.dtype, body: Sequence[Callable[[layers.Layer], layers.Layer]]
) -> tf_keras.Model:
    given = tensor = layers.Input(shape, name="given", dtype=dtype.name)
    for layer in body:
        tensor = layer(tensor)
    return tf_keras.Model(given, layers.Dense(OUTPUTS, name="last")(tensor))


def _fit(model: tf_keras.Model, x: np.ndarray, y: np.ndarray, epochs: int, rate: float) -> None:
    model.compile(tf_keras.optimizers.Adam(rate), "mse")
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)


def _simulated(wrapped: tf_keras.Model, x: np.ndarray, y: np.ndarray) -> tf_keras.Model:
    _fit(wrapped, x, y, QAT_EPOCHS, 1e-3)
    return wrapped


class _File:
    """An int8 file with integer inputs and outputs.

    Args:
        model: the float model, whose names the file has.
        source: what is converted.
        examples: for the calibration.
        folder: for its files.
    """

    def __init__(self, model: tf_keras.Model, source: tf_keras.Model, examples: np.ndarray, folder: Path) -> None:
        folder.mkdir(parents=True)
        signature = signature_of(model)
        write_saved_model(source, signature, folder / "saved", 1 if needs_fixed_batch(model) else None)
        shown = with_ranges({model.input_names[0]: examples}, input_ranges(source))
        given = named_inputs(shown, model, signature)
        calibration = {}
        for name, values in given.items():
            np.save(folder / f"{name}.npy", values)
            calibration[name] = str(folder / f"{name}.npy")
        variant = Variant(quantize="int8", io="int8")
        path = folder / "model.tflite"
        path.write_bytes(convert_one(str(folder / "saved"), variant, calibration))
        file = read(path)
        names = [file.operator_name(operator) for graph in file.model.subgraphs for operator in graph.operators]
        self.operators = names
        self.pairs = names.count("DEQUANTIZE")
        kinds: tuple[Kernels, ...] = ("default", "reference")
        self._files = {kernels: open_file(path, 1, kernels) for kernels in kinds}
        (output,) = self._files["default"].outputs.values()
        self.quantum = output["quantization"][0]

    def predict(self, x: np.ndarray, kernels: Kernels = "default") -> np.ndarray:
        """Outputs as real numbers; one example at a time where the batch is fixed."""
        file = self._files[kernels]
        (name,) = file.inputs
        size = len(x) if file.resizable else 1
        found = []
        for start in range(0, len(x), size):
            examples = {name: x[start : start + size]}
            if start == 0:
                file.prepare(examples)
            file.interpreter.reset_all_variables()
            file.set_inputs(examples)
            found.extend(*file.predict().values())
        return np.array(found)


def row(name: str, inputs: str, results: Sequence[Result]) -> tuple[str, ...]:
    """Cells of one model over its seeds."""
    worse = [one.file_error - one.plain_error for one in results]
    return (
        name,
        inputs,
        *(f"{100 * min(getattr(one, kind) for one in results):.2f} %" for kind in ("agreement", "kernels")),
        *(
            mean_and_spread([getattr(one, f"{kind}_error") for one in results])
            for kind in ("float", "plain", "simulated", "file")
        ),
        mean_and_spread([-value for value in worse]),
        str(max(one.pairs for one in results)),
    )


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    rows = []
    for name in options.names or MODELS:
        for inputs in ("tokens",) if name.startswith("decoder") else ("bounded", "gaussian"):
            with tempfile.TemporaryDirectory() as work:
                results = [measure(name, inputs, seed, Path(work) / str(seed)) for seed in options.seeds]
            rows.append(row(name, inputs, results))
            print(rows[-1], flush=True)
    head = (
        "model",
        "inputs",
        "within a quantum",
        "two kernels",
        "float",
        "plain int8",
        "simulated",
        "int8 after QAT",
        "gain",
        "pairs",
    )
    made = table(head, rows)
    print(made)
    if options.page and not options.names:
        options.page.write_text(replaced(options.page.read_text(encoding="utf-8"), "qat_agreement", made), "utf-8")


if __name__ == "__main__":
    main()
