"""Bundles of models of other kinds: several inputs and outputs, whole numbers, a state, open axes, quantities."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.bundles import converted
from tests.support.compiled_cpp import compile_and_run
from tests.support.contexts import Log
from tests.support.tflite_files.metadata_reader import read_metadata
from tfopt.backend.bundle import bundle
from tfopt.backend.data.splits import Data, Split
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.config.files.normalization import Normalization
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportContext

pytestmark = [pytest.mark.tf, pytest.mark.slow]

layers = tf_keras.layers
rng = np.random.default_rng(0)


def several() -> tuple[tf_keras.Model, Any, Any, int | None]:
    """Two inputs, one of whole numbers; three outputs, two of which have labels."""
    image, ids = layers.Input((6, 6, 3), name="image"), layers.Input((4,), dtype="int32", name="word/ids")
    words = layers.Flatten()(layers.Embedding(20, 3)(ids))
    joined = layers.Concatenate()([layers.Flatten()(image), words])
    outputs = [layers.Dense(units, name=name)(joined) for name, units in (("kind", 3), ("age", 1), ("place", 2))]
    inputs = {
        "image": rng.normal(size=(9, 6, 6, 3)).astype(np.float32),
        "word/ids": rng.integers(0, 20, (9, 4), np.int32),
    }
    return tf_keras.Model([image, ids], outputs), inputs, np.arange(9) % 3, None


def state() -> tuple[tf_keras.Model, Any, Any, int | None]:
    """A fused LSTM, whose state outlives a call."""
    model = tf_keras.Sequential([layers.Input((5, 4), name="x"), layers.LSTM(3), layers.Dense(2, name="y")])
    return model, rng.normal(size=(9, 5, 4)).astype(np.float32), np.arange(9) % 2, 1


def open_axis() -> tuple[tf_keras.Model, Any, Any, int | None]:
    """Sequences of any length."""
    given = layers.Input((None, 4), name="x")
    model = tf_keras.Model(given, layers.Dense(2, name="y")(layers.GlobalAveragePooling1D()(given)))
    return model, rng.normal(size=(9, 7, 4)).astype(np.float32), np.arange(9) % 2, None


def quantity() -> tuple[tf_keras.Model, Any, Any, int | None]:
    """One number from a table, normalized by the user's own code."""
    model = tf_keras.Sequential([layers.Input((3,), name="row"), layers.Dense(4), layers.Dense(1, name="price")])
    return model, rng.normal(size=(9, 3)).astype(np.float32), rng.normal(size=(9, 1)).astype(np.float32), None


KINDS = {"several": several, "state": state, "open_axis": open_axis, "quantity": quantity}


@pytest.mark.parametrize("kind", KINDS)
def test_code_and_golden_examples_fit_each_other(kind: str, tmp_path: Path) -> None:
    make: Callable[[], tuple[tf_keras.Model, Any, Any, int | None]] = KINDS[kind]
    model, inputs, targets, batch = make()
    split = Split(inputs, targets)
    classes = None if kind == "quantity" else int(targets.max()) + 1
    folder = tmp_path / "export"
    folder.mkdir()
    record = converted(model, folder, "float32", batch=batch)
    compile = Compile(loss="mse", metrics=["mae"]) if kind == "quantity" else Compile()
    context = ExportContext(
        folder, Data(split, split, split, "own", num_classes=classes), compile, 1, Log(), recipe=kind, written=(record,)
    )
    given = Normalization(mean=(1.0, 2.0, 3.0), std=0.5) if kind == "quantity" else None
    labels = {"kind": ["a", "b", "c"], "place": ["in", "out"]} if kind == "several" else None
    made = bundle.export(model, BundleKeys(examples=4, normalization=given, labels=labels), context)
    assert made.error is None
    assert [claim for claim in made.claims if not claim.held] == []
    (graph,) = read_metadata((folder / "bundle" / "float32.tflite").read_bytes())["subgraph_metadata"]
    names = {tensor["name"] for tensor in graph["input_tensor_metadata"]}
    assert names == ({"image", "word_ids"} if kind == "several" else {model.input_names[0]})
    if kind == "several":
        files = {one["name"]: one.get("associated_files", []) for one in graph["output_tensor_metadata"]}
        assert {name: [file["name"] for file in of] for name, of in files.items()} == {
            "kind": ["labels_kind.txt"], "age": [], "place": ["labels_place.txt"]
        }  # fmt: skip
    if kind == "quantity":
        unit = graph["input_tensor_metadata"][0]["process_units"][0]["options"]
        assert unit == {"mean": [1.0, 2.0, 3.0], "std": [0.5, 0.5, 0.5]}
    if kind == "state":  # LiteRT's C API does not open such a file
        assert not (folder / "bundle" / "snippets" / "float32" / "run.cc").exists()
    elif shutil.which("g++"):
        done = compile_and_run(folder / "bundle", "float32", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 golden examples, 0 differences" in done.stdout
