"""Ranges of a file by the recipe's rule: inner tensors are clipped, inputs and outputs keep their whole range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.export.convert import convert_one
from tfopt.backend.export.keras_files.saved_model import signature_of, write_saved_model
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.files.tflite_variant import Variant

pytestmark = [pytest.mark.tf, pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")]

SHARES = {"min_max": {}, "percentile": {"range": "percentile", "percentile": "90%"}, "mse": {"range": "mse"}}


@pytest.fixture(scope="module")
def ranges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """By rule, the scale of each activation of an int8 file, and of one in int16x8; one example is much larger than the
    others."""
    folder = tmp_path_factory.mktemp("ranges")
    tf_keras.utils.set_random_seed(0)
    inputs = layers.Input((8,), name="x")
    hidden = layers.Dense(16, activation="relu", name="hidden")(inputs)
    outputs = layers.Reshape((2, 2), name="shape")(layers.Dense(4, name="last")(hidden))
    model = tf_keras.Model(inputs, outputs)
    write_saved_model(model, signature_of(model), folder / "model", 1)
    examples = np.random.default_rng(0).normal(0, 1, (64, 8)).astype(np.float32)
    examples[0] *= 20
    np.save(folder / "x.npy", examples)
    found = {}
    for name, keys in SHARES.items():
        found[name] = _widths(folder, Variant.model_validate({"quantize": "int8", "calibration": keys}))
    wide = Variant.model_validate({"quantize": "int16x8", "calibration": SHARES["percentile"]})
    found["int16x8"] = _widths(folder, wide)
    return found


def _widths(folder: Path, variant: Variant) -> dict[str, float]:
    file = flatbuffer.parse(convert_one(str(folder / "model"), variant, {"x": str(folder / "x.npy")}))
    graph = file.model.subgraphs[0]
    dense = [each for each in graph.operators if file.operator_name(each) == "FULLY_CONNECTED"]
    tensors = {"input": dense[0].inputs[0], "hidden": dense[0].outputs[0], "last": dense[1].outputs[0]}
    return {name: float(graph.tensors[index].quantization.scale[0]) for name, index in tensors.items()}


def test_inner_tensors_are_clipped(ranges: dict[str, dict[str, float]]) -> None:
    assert ranges["percentile"]["hidden"] < 0.8 * ranges["min_max"]["hidden"]


def test_the_least_error_does_not_clip_where_values_are_few(ranges: dict[str, dict[str, float]]) -> None:
    assert 0.5 * ranges["min_max"]["hidden"] < ranges["mse"]["hidden"] <= 1.001 * ranges["min_max"]["hidden"]


@pytest.mark.parametrize("rule", ["percentile", "mse"])
def test_inputs_and_outputs_keep_their_range(ranges: dict[str, dict[str, float]], rule: str) -> None:
    for end in ("input", "last"):  # the last layer is followed by a RESHAPE: an output all the same
        assert ranges[rule][end] == pytest.approx(ranges["min_max"][end])


def test_other_modes_with_integer_activations_are_clipped_too(ranges: dict[str, dict[str, float]]) -> None:
    whole = 255 / 65535 * ranges["min_max"]["hidden"]
    assert ranges["int16x8"]["hidden"] < 1.6 * whole  # of both signs: twice the range, for the same largest value
    assert ranges["int16x8"]["last"] > 0.9 * 255 / 65535 * ranges["min_max"]["last"]
