"""Models of sequences, from training to an int8 file: the rows of a digit, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import tf_keras
from tf_keras import layers

import tfopt
from tests.support.recipes import known
from tfopt.core.recipe.recipe import Recipe, build_recipe

pytestmark = pytest.mark.tf

_STAYS_FLOAT = "qat: stays float in an int8 file: "
HALF = {"kind": "constant", "final": "50%", "begin": "0%", "end": "50%"}
PRUNE = {"prune": {"epochs": 1, "schedule": HALF, "layers": [{"type": "MultiHeadAttention", "unit": "head"}]}}
PROJECTIONS = 4


def transformer(input_shape: tuple[int, ...], num_outputs: int) -> tf_keras.Model:
    """One block: attention and a dense layer, each with a sum and a normalization."""
    image = layers.Input(input_shape, name="image")
    x = layers.Dense(16, name="embed")(layers.Reshape((8, 8), name="rows")(image))
    attended = layers.MultiHeadAttention(2, 8, name="attention")(x, x)
    x = layers.LayerNormalization(name="first_norm")(layers.Add(name="first_sum")([x, attended]))
    x = layers.Add(name="second_sum")([x, layers.Dense(16, activation="relu", name="forward")(x)])
    x = layers.Flatten(name="flatten")(layers.LayerNormalization(name="second_norm")(x))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="logits")(x))


def lstm(input_shape: tuple[int, ...], num_outputs: int) -> tf_keras.Model:
    """A fused LSTM, which TFLite computes in integers."""
    return _recurrent(layers.LSTM(16, name="cell"), input_shape, num_outputs)


def gru(input_shape: tuple[int, ...], num_outputs: int) -> tf_keras.Model:
    """A GRU, which TFLite runs as a loop."""
    return _recurrent(layers.GRU(16, name="cell"), input_shape, num_outputs)


def _recurrent(cell: layers.Layer, input_shape: tuple[int, ...], num_outputs: int) -> tf_keras.Model:
    image = layers.Input(input_shape, name="image")
    x = layers.Dense(12, activation="relu", name="features")(layers.Reshape((8, 8), name="rows")(image))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="logits")(cell(x)))


def recipe(function: str, epochs: int, *stages: dict) -> Recipe:
    document = {
        "name": "sequences",
        "data": {"source": "digits", "batch_size": 64},
        "model": {"source": f"tests.end_to_end.test_sequence_models:{function}"},
        "compile": {
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        "stages": [{"train": {"epochs": epochs}}, *stages, {"qat": {"epochs": 1, "learning_rate": 5e-4}}],
        "export": {"tflite": {"small": {"quantize": "int8", "calibration": 64}}},
    }
    return build_recipe(document, known())


def test_a_pruned_transformer_is_computed_in_integers_and_stays_sparse(tmp_path: Path) -> None:
    (file,) = tfopt.run(recipe("transformer", 6, PRUNE), out=tmp_path).report.exports
    assert [claim.found for claim in file.claims if not claim.held] == []
    assert file.audit is not None
    assert file.audit.float_operators == {}
    assert file.measures["accuracy"] > 0.6
    kernels = [t for t in file.audit.tensors if t.role == "weight" and t.layer == "attention"]
    assert len(kernels) == PROJECTIONS
    assert all(kernel.dtype == "int8" and kernel.sparsity >= 0.49 for kernel in kernels)
    (heads,) = [claim.found for claim in file.claims if claim.code == "zero_units"]
    assert heads in ("heads 1 of 2 in attention", "heads 2 of 2 in attention")


def test_the_plan_names_no_float_layer_of_an_lstm(tmp_path: Path) -> None:
    warnings = tfopt.plan(recipe("lstm", 2), out=tmp_path, trial=False).warnings
    assert not [text for text in warnings if text.startswith(_STAYS_FLOAT)]


# In CI, tests/backend/quantization/test_file_agreement.py has the file of an LSTM.
@pytest.mark.parametrize(("function", "floats"), [pytest.param("lstm", [], marks=pytest.mark.slow), ("gru", ["cell"])])
def test_the_float_layers_of_the_plan_are_those_of_the_file(function: str, floats: list[str], tmp_path: Path) -> None:
    asked = recipe(function, 2)
    warnings = tfopt.plan(asked, out=tmp_path, trial=False).warnings
    planned = [text.removeprefix(_STAYS_FLOAT).split(" ")[0] for text in warnings if text.startswith(_STAYS_FLOAT)]
    assert planned == floats
    (file,) = tfopt.run(asked, out=tmp_path).report.exports
    assert [claim.found for claim in file.claims if not claim.held and claim.claim.startswith("int8")] == []
    assert file.audit is not None
    assert file.audit.float_layers == floats
