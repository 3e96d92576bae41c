"""Every layer class of `keras.layers` (Keras 3) in a small model, taken through everything tfopt does; docs/layers.md.

    python benchmarks/keras_layers.py [NAME...] [--out build/layers] [--seconds 60] [--table docs/layers.md]

Each layer is tried in a worker process, one after the other; one that crashes or takes too long is recorded
as such, and the rest goes on in a new one. Results are kept as one JSON file per layer in `--out`; a layer that has one
is not tried again. Without names, all layers are tried and the table is written.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

IMAGE, SEQUENCE, VOLUME, FLAT = (8, 8, 3), (6, 4), (6, 6, 6, 2), (10,)

TOO_FAR = 0.2
"""Difference of an int8 file to its model from which it is called inaccurate, relative to the outputs' range."""

NO_MODEL = {
    "Layer": "the base class of all layers",
    "Wrapper": "the base class of layers around a layer",
    "InputSpec": "a description of inputs, not a layer",
    "InputLayer": "in every model",
    "GRUCell": "a step of RNN, tried as RNN(GRUCell)",
    "LSTMCell": "a step of RNN, tried as RNN(LSTMCell)",
    "SimpleRNNCell": "a step of RNN, tried as RNN(SimpleRNNCell)",
    "StackedRNNCells": "a step of RNN, tried as RNN([...])",
    "FlaxLayer": "wraps code for Flax, which needs KERAS_BACKEND=jax",
    "JaxLayer": "wraps code for JAX, which needs KERAS_BACKEND=jax",
    "TorchModuleWrapper": "wraps a module of PyTorch, which needs KERAS_BACKEND=torch",
    "TFSMLayer": "wraps a SavedModel whose layers are gone: give the SavedModel itself",
    "MaxNumBoundingBoxes": "changes labels in a data pipeline, not the inputs of a model",
    "CutMix": "changes images and labels in a data pipeline",
    "MixUp": "changes images and labels in a data pipeline",
}
"""Classes that are not tried, and why."""


@dataclass(frozen=True)
class Case:
    """A layer to try.

    Args:
        make: builds it from `keras.layers`.
        shapes: of its inputs, without the batch axis.
        dtype: of its inputs.
        largest: integers are drawn below this.
        call: how it is called with its inputs; by default with the input, or a list of them.
    """

    make: Callable[[Any], Any]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"
    largest: int = 5
    call: Callable[[Any, list[Any]], Any] = lambda layer, inputs: layer(inputs if len(inputs) > 1 else inputs[0])


def _one(shape: tuple[int, ...], **arguments: Any) -> Callable[[str], Case]:
    return lambda name: Case(lambda layers: getattr(layers, name)(**arguments), (shape,))


def _two(shape: tuple[int, ...], **arguments: Any) -> Callable[[str], Case]:
    return lambda name: Case(lambda layers: getattr(layers, name)(**arguments), (shape, shape))


CASES: dict[str, Callable[[str], Case]] = {
    **{name: _two(IMAGE) for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")},
    **{name: _one(SEQUENCE, filters=5, kernel_size=3) for name in ("Conv1D", "Conv1DTranspose", "SeparableConv1D")},
    **{name: _one(IMAGE, filters=5, kernel_size=3) for name in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")},
    **{name: _one(VOLUME, filters=3, kernel_size=2) for name in ("Conv3D", "Conv3DTranspose")},
    **{name: _one(SEQUENCE, units=5) for name in ("GRU", "LSTM", "SimpleRNN")},
    **{name: _one(IMAGE, factor=0.2) for name in (
        "RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomGrayscale", "RandomHue",
        "RandomPerspective", "RandomRotation", "RandomSharpness", "RandomErasing",
    )},
    **{f"{kind}Pooling{axes}D": _one(shape, pool_size=2)
       for kind in ("Average", "Max") for axes, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))},
    "Activation": _one(IMAGE, activation="relu"),
    "AdaptiveAveragePooling1D": _one(SEQUENCE, output_size=2),
    "AdaptiveAveragePooling2D": _one(IMAGE, output_size=2),
    "AdaptiveAveragePooling3D": _one(VOLUME, output_size=2),
    "AdaptiveMaxPooling1D": _one(SEQUENCE, output_size=2),
    "AdaptiveMaxPooling2D": _one(IMAGE, output_size=2),
    "AdaptiveMaxPooling3D": _one(VOLUME, output_size=2),
    "AdditiveAttention": _two(SEQUENCE),
    "Attention": _two(SEQUENCE),
    "AlphaDropout": _one(FLAT, rate=0.5),
    "Bidirectional": lambda name: Case(lambda layers: layers.Bidirectional(layers.LSTM(5)), (SEQUENCE,)),
    "CategoryEncoding": lambda name: Case(lambda layers: layers.CategoryEncoding(5), ((4,),), "int32"),
    "CenterCrop": _one(IMAGE, height=4, width=4),
    "ConvLSTM1D": _one((3, 6, 2), filters=3, kernel_size=2),
    "ConvLSTM2D": _one((3, 6, 6, 2), filters=3, kernel_size=2),
    "ConvLSTM3D": _one((2, 4, 4, 4, 2), filters=2, kernel_size=2),
    "Dense": _one(FLAT, units=5),
    "DepthwiseConv1D": _one(SEQUENCE, kernel_size=3),
    "DepthwiseConv2D": _one(IMAGE, kernel_size=3),
    "Discretization": lambda name: Case(lambda layers: layers.Discretization(bin_boundaries=[0.3, 0.6]), (FLAT,)),
    "Dot": _two(SEQUENCE, axes=2),
    "Dropout": _one(FLAT, rate=0.5),
    "EinsumDense": _one(SEQUENCE, equation="abc,cd->abd", output_shape=(6, 5), bias_axes="d"),
    "Embedding": lambda name: Case(lambda layers: layers.Embedding(20, 4), ((6,),), "int32", 20),
    "GaussianDropout": _one(FLAT, rate=0.5),
    "GaussianNoise": _one(FLAT, stddev=0.5),
    "GroupNormalization": _one((8, 8, 4), groups=2),
    "GroupQueryAttention": lambda name: Case(
        lambda layers: layers.GroupQueryAttention(4, 4, 2), (SEQUENCE,), call=lambda layer, inputs: layer(*inputs * 2)
    ),
    "HashedCrossing": lambda name: Case(lambda layers: layers.HashedCrossing(5), ((1,), (1,)), "int64"),
    "Hashing": lambda name: Case(lambda layers: layers.Hashing(5), ((4,),), "int64"),
    "IntegerLookup": lambda name: Case(lambda layers: layers.IntegerLookup(vocabulary=[1, 2, 3]), ((4,),), "int64"),
    "Lambda": lambda name: Case(lambda layers: layers.Lambda(lambda tensor: tensor * 2), (FLAT,)),
    "MelSpectrogram": _one((1024,), fft_length=256, sequence_stride=128, num_mel_bins=8),
    "MultiHeadAttention": lambda name: Case(
        lambda layers: layers.MultiHeadAttention(2, 4), (SEQUENCE,), call=lambda layer, inputs: layer(*inputs * 2)
    ),
    "Normalization": _one(IMAGE, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
    "Permute": _one(IMAGE, dims=(3, 1, 2)),
    "Pipeline": lambda name: Case(lambda layers: layers.Pipeline([layers.Rescaling(2.0)]), (IMAGE,)),
    "PReLU": _one(IMAGE, shared_axes=[1, 2]),
    "RNN": lambda name: Case(lambda layers: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), (SEQUENCE,)),
    "RandomCrop": _one(IMAGE, height=4, width=4),
    "RandomElasticTransform": _one(IMAGE),
    "RandomPosterization": _one(IMAGE, factor=4),
    "RandomSaturation": _one(IMAGE, factor=0.5),
    "RandomTranslation": _one(IMAGE, height_factor=0.2, width_factor=0.2),
    "RandomZoom": _one(IMAGE, height_factor=0.2),
    "RepeatVector": _one(FLAT, n=3),
    "Rescaling": _one(IMAGE, scale=0.5, offset=-1.0),
    "Reshape": _one(IMAGE, target_shape=(16, 12)),
    "Resizing": _one(IMAGE, height=4, width=4),
    "ReversibleEmbedding": lambda name: Case(lambda layers: layers.ReversibleEmbedding(20, 4), ((6,),), "int32", 20),
    "STFTSpectrogram": _one((512, 1), frame_length=64, frame_step=32, fft_length=64),
    "Softmax": _one(FLAT),
    "SpectralNormalization": lambda name: Case(lambda layers: layers.SpectralNormalization(layers.Dense(5)), (FLAT,)),
    "SpatialDropout1D": _one(SEQUENCE, rate=0.5),
    "SpatialDropout2D": _one(IMAGE, rate=0.5),
    "SpatialDropout3D": _one(VOLUME, rate=0.5),
    "StringLookup": lambda name: Case(lambda layers: layers.StringLookup(vocabulary=["0", "1"]), ((4,),), "string"),
    "TextVectorization": lambda name: Case(
        lambda layers: layers.TextVectorization(vocabulary=["0", "1"], output_sequence_length=4), ((1,),), "string"
    ),
    "TimeDistributed": lambda name: Case(lambda layers: layers.TimeDistributed(layers.Dense(5)), (SEQUENCE,)),
    "UnitNormalization": _one(SEQUENCE),
    "Masking": _one(SEQUENCE),
}  # fmt: skip
"""How the layers are made that need arguments, or other inputs than their name says."""


def case_of(name: str) -> Case:
    """The layer of a name: its own case, or without arguments on what its name says."""
    if name in CASES:
        return CASES[name](name)
    shape = {"1D": SEQUENCE, "3D": VOLUME}.get(name[-2:], IMAGE)
    return _one(shape)(name)


def layer_names() -> list[str]:
    """The classes of `keras.layers`, each under its own name."""
    import keras

    classes = {value for value in vars(keras.layers).values() if inspect.isclass(value)}
    return sorted(found.__name__ for found in classes if hasattr(keras.layers, found.__name__))


def model_of(case: Case) -> Any:
    """The layer, and behind it a Dense layer with three outputs."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    inputs = [keras.Input(shape, dtype=case.dtype, name=f"given{at}") for at, shape in enumerate(case.shapes)]
    result = case.call(case.make(layers), inputs)
    result = result[0] if isinstance(result, (list, tuple)) else result
    if not str(result.dtype).startswith("float"):
        result = layers.Embedding(16, 4, name="table")(result)
    if len(result.shape) > 2:
        result = layers.Flatten(name="flat")(result)
    return keras.Model(inputs, layers.Dense(3, name="head")(result), name="one_layer")


def examples_of(case: Case, number: int) -> Any:
    """Random inputs by name; one array where there is one input."""
    import numpy as np

    random = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> Any:
        if case.dtype.startswith("float"):
            return random.uniform(0, 1, (number, *shape)).astype(case.dtype)
        whole = random.integers(0, case.largest, (number, *shape))
        return whole.astype(str).astype(object) if case.dtype == "string" else whole.astype(case.dtype)

    drawn = {f"given{at}": draw(shape) for at, shape in enumerate(case.shapes)}
    return drawn if len(drawn) > 1 else next(iter(drawn.values()))


def work(names: Sequence[str], out: Path) -> None:
    """The worker: tries layers one after the other, and reports which one it is at."""
    import journey

    for name in names:
        (out / f"{name}.started").touch()
        case = case_of(name)
        try:
            model = model_of(case)
        except Exception as error:  # noqa: BLE001  (what Keras itself refuses has a row, too)
            said = f"Keras itself refuses: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            journey.Journey(name, {"bridge": said}).write(out / f"{name}.json")
            continue
        found = journey.travel(name, model, examples_of(case, journey.EXAMPLES), partial=out / f"{name}.partial")
        found.write(out / f"{name}.json")


def walk(names: Sequence[str], out: Path, seconds: float) -> None:
    """Has all layers tried that have no result yet."""
    out.mkdir(parents=True, exist_ok=True)
    todo = [name for name in names if name not in NO_MODEL and not (out / f"{name}.json").exists()]
    while todo:
        for name in todo:
            (out / f"{name}.started").unlink(missing_ok=True)
        reason = _run_worker(todo, out, seconds)
        todo = [name for name in todo if not (out / f"{name}.json").exists()]
        if todo:
            write_death(out, todo[0], reason)
            todo = todo[1:]


OUT_OF_TIME = "out of time"


def write_death(out: Path, name: str, reason: str) -> None:
    """Writes the steps that a worker had finished before it crashed, and the crash.

    The converter can take its process down: tfopt converts in a child and reports that as an error; so does the table.
    """
    partial = out / f"{name}.partial"
    found = json.loads(partial.read_text(encoding="utf-8")) if partial.exists() else {"name": name, "steps": {}}
    steps = found["steps"]
    at = next((step for step in ("bridge", "prune", "keras", "qat") if step not in steps), "int8")
    died = f"error: the converter crashed with {reason}" if at == "int8" else f"DIED: {reason}"
    steps[at] = reason if reason.startswith(OUT_OF_TIME) else died
    (out / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


def _run_worker(names: Sequence[str], out: Path, seconds: float) -> str:
    """Runs a worker until it is done, crashes, or one layer takes longer than `seconds`; returns which."""
    command = [sys.executable, str(Path(__file__)), "--work", "--out", str(out), *names]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        since, finished = time.monotonic(), -1
        while process.poll() is None:
            time.sleep(0.5)
            done = sum((out / f"{name}.json").exists() for name in names)
            if done != finished:
                since, finished = time.monotonic(), done
            elif time.monotonic() - since > seconds + (30 if done == 0 else 0):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return f"took more than {seconds:.0f} s"
        log.seek(0)
        tail = log.read().decode(errors="replace").strip().splitlines()[-1:]
    code = process.returncode
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}: {' '.join(tail)[:200]}"


def outcome(found: dict[str, Any]) -> str:
    """The row's verdict: the worst of its steps."""
    steps = list(found["steps"].values())
    if found.get("numbers", {}).get("int8_difference", 0) > TOO_FAR:
        steps.append("INACCURATE")
    for word, verdict in (
        ("BUG", "bug"), ("SILENT", "silent float"), ("DIED", "died"), ("DIFFERENT", "different"),
        ("INACCURATE", "inaccurate file"),
        ("error", "named error"), ("float by decision", "float by decision"),
    ):  # fmt: skip
        if any(word in step for step in steps):
            return verdict
    return "not in Keras" if any("Keras itself" in step for step in steps) else "ok"


def table(names: Sequence[str], out: Path) -> str:
    """The table of all results as Markdown."""
    import keras

    rows, tally = [], {}
    for name in names:
        if name in NO_MODEL:
            rows.append(f"| {name} | – | | | | | {NO_MODEL[name]} |")
            continue
        file = out / f"{name}.json"
        if not file.exists():
            rows.append(f"| {name} | not tried yet | | | | | |")
            continue
        found = json.loads(file.read_text(encoding="utf-8"))
        verdict, steps = outcome(found), found["steps"]
        tally[verdict] = tally.get(verdict, 0) + 1
        cells = [_short(steps.get(step, "")) for step in ("bridge", "prune", "keras", "qat", "int8")]
        rows.append("| " + " | ".join([name, f"**{verdict}**", *cells[:4], _int8_cell(found, cells[4])]) + " |")
    tally_line = ", ".join(
        f"{number} {verdict}" for verdict, number in sorted(tally.items(), key=lambda item: -item[1])
    )
    return _HEAD.format(version=keras.__version__, tally_line=tally_line) + "\n".join(rows) + "\n"


_HEAD = """# What works with every layer of Keras 3

Written by `python benchmarks/keras_layers.py` with Keras {version}. Each layer is in a model of its own, in front
of a Dense layer; the model is made a tf_keras model, pruned to 50%, made a Keras 3 model again, simulated in 8 bits
(calibrated, not trained), converted to an int8 file, and compared at each step. A named error is one of tfopt,
with its reason; *float by decision* means that `tfopt plan` names the layer and why it stays float. The last column
also has the difference between file and model, relative to the range of its outputs (random weights). An empty cell
has not been tried yet.

{tally_line}.

| layer | outcome | to tf_keras | prune | back to Keras 3 | 8 bits in training | int8 file |
|---|---|---|---|---|---|---|
"""


def _int8_cell(found: dict[str, Any], said: str) -> str:
    difference = found.get("numbers", {}).get("int8_difference")
    planned = "; ".join(f"{layer}: {how}" for layer, how in found.get("planned", {}).items() if how.startswith("float"))
    return said + ("" if difference is None else f" ({difference:.1%})") + (f" – {planned}" if planned else "")


def _short(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:220]


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="layers to try; all by default")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "layers", help="folder of the results")
    parser.add_argument("--seconds", type=float, default=60, help="time for one layer")
    parser.add_argument("--table", type=Path, default=REPOSITORY / "docs" / "layers.md", help="where the table goes")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.names, options.out)
        return
    names = layer_names()
    walk(options.names or names, options.out, options.seconds)
    for name in options.names:
        found = json.loads((options.out / f"{name}.json").read_text(encoding="utf-8"))
        print(name, outcome(found), json.dumps(found["steps"], indent=1))
    if not options.names:
        options.table.write_text(table(names, options.out), encoding="utf-8")
        print(f"{options.table} written")


if __name__ == "__main__":
    main()
