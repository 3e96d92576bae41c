"""The int8 file computes what training simulates: the same integers, the same ranges, nearly the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.export.calibration import save_arrays
from tfopt.backend.export.convert import convert_one
from tfopt.backend.export.keras_files.saved_model import (
    named_inputs,
    needs_fixed_batch,
    signature_of,
    write_saved_model,
)
from tfopt.backend.layers import PositionEmbedding, TiedEmbedding, TiedLogits
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.input_ranges import input_ranges, with_ranges
from tfopt.backend.quantization.lstm.simulated import simulated_lstms
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap, wrappers
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.interpreter import Kernels, open_file
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization import Quantization

pytestmark = [pytest.mark.tf, pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")]

SHAPES = {"image": (4, 4, 3), "steps": (6, 4), "vector": (12,)}


def _model() -> tf_keras.Model:
    """Batch normalization behind every kernel into which it is folded."""
    image, steps, vector = (layers.Input(shape, name=name) for name, shape in SHAPES.items())
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(image)
    x = layers.ReLU()(layers.BatchNormalization(center=False)(x))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.Flatten()(layers.BatchNormalization()(layers.Conv2DTranspose(4, 2, name="up")(x)))
    y = layers.BatchNormalization(scale=False)(layers.Dense(8, name="each_step")(steps))
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(6, 3, padding="causal")(y)))
    y = layers.GlobalAveragePooling1D()(layers.SeparableConv1D(6, 3)(y))
    z = layers.BatchNormalization(scale=False)(layers.Dense(16, name="from_vector")(vector))
    z = layers.ReLU()(z)
    z = layers.ReLU()(layers.BatchNormalization()(layers.Dense(8, use_bias=False, name="inner")(z)))
    return tf_keras.Model(
        [image, steps, vector],
        [layers.Dense(3, name=f"last_{name}")(part) for name, part in zip("xyz", (x, y, z), strict=True)],
    )


@dataclass(frozen=True)
class Trained:
    """A model after a few steps of QAT, its file, and inputs that none of both has seen."""

    wrapped: tf_keras.Model
    path: Path
    unseen: Mapping[str, np.ndarray]

    @property
    def file(self) -> flatbuffer.File:
        return flatbuffer.read(self.path)

    @property
    def operators(self) -> list[str]:
        (graph,) = self.file.model.subgraphs
        return [self.file.operator_name(operator) for operator in graph.operators]

    @property
    def tensors(self) -> list[Any]:
        (graph,) = self.file.model.subgraphs
        return list(graph.tensors)


def _fit(model: tf_keras.Model, given: Mapping[str, np.ndarray], targets: Sequence[np.ndarray], epochs: int) -> None:
    model.compile(tf_keras.optimizers.Adam(5e-3), "mse")
    first = {name: values[:512] for name, values in given.items()}
    model.fit(first, [values[:512] for values in targets], 32, epochs, verbose=0)


def _converted(
    model: tf_keras.Model, wrapped: tf_keras.Model, examples: Mapping[str, np.ndarray], folder: Path
) -> Path:
    signature = signature_of(model)
    write_saved_model(wrapped, signature, folder / "saved", 1 if needs_fixed_batch(model) else None)
    shown = with_ranges(examples, input_ranges(wrapped))
    files = save_arrays(named_inputs(shown, model, signature), folder / "examples")
    path = folder / "model.tflite"
    calibration = {name: str(path) for name, path in files.items()}
    path.write_bytes(convert_one(str(folder / "saved"), Variant(quantize="int8", io="int8"), calibration))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    tf_keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    # Without bounds: the more examples, the larger the range, which calibration sees a part of only.
    given = {name: random.normal(size=(640, *shape)).astype(np.float32) for name, shape in SHAPES.items()}
    targets = [np.tanh(values.reshape(640, -1)[:, :3] + values.reshape(640, -1)[:, 1:4]) for values in given.values()]
    model = _model()
    _fit(model, given, targets, 3)
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [{name: values[:64] for name, values in given.items()}])
    _fit(wrapped, given, targets, 1)
    shown = {name: values[:32] for name, values in given.items()}
    path = _converted(model, wrapped, shown, tmp_path_factory.mktemp("agreement"))
    return Trained(wrapped, path, {name: values[512:] for name, values in given.items()})


def test_outputs_agree_within_a_step(trained: Trained) -> None:
    file = open_file(trained.path, 1)
    file.prepare(trained.unseen)
    file.set_inputs(trained.unseen)
    found = file.predict()
    simulated = trained.wrapped.predict(dict(trained.unseen), verbose=0)
    for name, expected in zip(trained.wrapped.output_names, simulated, strict=True):
        output = name.removeprefix("quant_")
        steps = np.abs(found[output] - expected) / file.outputs[output]["quantization"][0]
        # Integer arithmetic rounds a value at a tie differently now and then, at each of up to five layers.
        assert (steps <= 1.001).mean() >= 0.95, output
        assert (steps <= 2.001).mean() >= 0.99, output


def test_nothing_is_converted_to_float_and_back(trained: Trained) -> None:
    assert "DEQUANTIZE" not in trained.operators
    assert all(tensor.type != flatbuffer.schema.TensorType.FLOAT32 for tensor in trained.tensors)


def test_inputs_have_the_learned_range(trained: Trained) -> None:
    (graph,) = trained.file.model.subgraphs
    learned = input_ranges(trained.wrapped).values()
    assert len(learned) == len(SHAPES)
    found = sorted(float(graph.tensors[index].quantization.scale[0]) for index in graph.inputs)
    np.testing.assert_allclose(found, sorted((high - low) / 255 for low, high in learned), rtol=1e-5)


def test_activations_have_the_learned_ranges(trained: Trained) -> None:
    found = np.array([float(tensor.quantization.scale[0]) for tensor in trained.tensors if _has_one_scale(tensor)])
    rounded = [wrapper for wrapper in wrappers(trained.wrapped) if wrapper._output_quantizers]
    assert len(rounded) > 8
    for wrapper in rounded:
        ranges = wrapper._output_quantizer_vars
        scale = float(ranges["max_var"].numpy() - ranges["min_var"].numpy()) / 255
        assert np.isclose(found, scale, rtol=1e-4).any(), wrapper.name


def _has_one_scale(tensor: Any) -> bool:
    return (
        tensor.quantization is not None
        and tensor.quantization.scale is not None
        and len(tensor.quantization.scale) == 1
    )


@pytest.mark.parametrize(("name", "operator"), [("from_vector", "FULLY_CONNECTED"), ("conv", "CONV_2D")])
def test_kernels_hold_the_simulated_integers(trained: Trained, name: str, operator: str) -> None:
    ((variable, _, _),) = trained.wrapped.get_layer(f"quant_{name}")._weight_vars
    kernel = variable.numpy()
    kernel = kernel.reshape(-1, kernel.shape[-1])
    expected = np.round(kernel / (np.abs(kernel).max(axis=0) / 127)).T
    (graph,) = trained.file.model.subgraphs
    held = [
        trained.file.values(graph.tensors[made.inputs[1]]).reshape(len(expected), -1)
        for made in graph.operators
        if trained.file.operator_name(made) == operator
        and np.prod(graph.tensors[made.inputs[1]].shape) == expected.size
        and len(graph.tensors[made.inputs[1]].quantization.scale) == len(expected)
    ]
    # A batch normalization with a negative factor turns the signs of its channel.
    assert any((np.abs(values.astype(np.int32)) == np.abs(expected)).mean() > 0.99 for values in held)


TOKENS, WIDTH, STEPS = 12, 16, 6


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tied table, positions and normalization: what comes before and behind the blocks of a decoder."""
    tf_keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    tokens = layers.Input((STEPS,), name="tokens", dtype="int32")
    x, table = TiedEmbedding(TOKENS, WIDTH, name="table")(tokens)
    x = layers.LayerNormalization(epsilon=1e-5, name="norm")(PositionEmbedding(STEPS, name="positions")(x))
    model = tf_keras.Model(tokens, TiedLogits(name="logits")([x, table]))
    model.get_layer("table").set_weights([random.normal(0.1, 1, (TOKENS, WIDTH))])
    given = {"tokens": random.integers(0, TOKENS, (640, STEPS)).astype(np.int32)}
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [{name: values[:256] for name, values in given.items()}])
    path = _converted(
        model, wrapped, {name: values[:32] for name, values in given.items()}, tmp_path_factory.mktemp("language")
    )
    return Trained(wrapped, path, {name: values[512:] for name, values in given.items()})


def test_outputs_of_a_table_and_normalization_agree(language: Trained) -> None:
    file = open_file(language.path, 1)
    file.prepare(language.unseen)
    file.set_inputs(language.unseen)
    (found,), (details,) = file.predict().values(), file.outputs.values()
    simulated = language.wrapped.predict(dict(language.unseen), verbose=0)
    steps = np.abs(found - simulated) / details["quantization"][0]
    assert (steps <= 1.001).mean() >= 0.95
    assert "DEQUANTIZE" not in language.operators


def test_the_table_of_the_file_is_the_simulated_one(language: Trained) -> None:
    (graph,) = language.file.model.subgraphs
    (rows,) = [made for made in graph.operators if language.file.operator_name(made) == "GATHER"]
    (products,) = [made for made in graph.operators if language.file.operator_name(made) == "FULLY_CONNECTED"]
    table = language.wrapped.get_layer("quant_table").layer.table.numpy()
    taken, multiplied = graph.tensors[rows.inputs[0]], graph.tensors[products.inputs[1]]
    scale, zero = float(taken.quantization.scale[0]), int(taken.quantization.zeroPoint[0])
    learned = language.wrapped.get_layer("quant_table_rows")._output_quantizer_vars
    assert np.isclose(scale, float(learned["max_var"] - learned["min_var"]) / 255, rtol=1e-4)
    off = language.file.values(taken).astype(int) - np.clip(np.round(table / scale) + zero, -128, 127)
    assert (off == 0).mean() > 0.99
    expected = np.round(table / (np.abs(table).max(axis=1, keepdims=True) / 127))
    assert (language.file.values(multiplied) == expected).mean() > 0.99


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Attention with a mask, whose scores have a wider range behind it than before it."""
    tf_keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    given = {"steps": random.normal(size=(640, 6, 8)).astype(np.float32)}
    steps = layers.Input((6, 8), name="steps")
    x = layers.MultiHeadAttention(2, 4, name="attention")(steps, steps, use_causal_mask=True)
    model = tf_keras.Model(steps, layers.Dense(3, name="last")(x))
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [{name: values[:256] for name, values in given.items()}])
    path = _converted(
        model, wrapped, {name: values[:32] for name, values in given.items()}, tmp_path_factory.mktemp("causal")
    )
    return Trained(wrapped, path, {name: values[512:] for name, values in given.items()})


def test_scores_have_the_scale_of_masked_scores(causal: Trained) -> None:
    (graph,) = causal.file.model.subgraphs
    (masked,) = [made for made in graph.operators if causal.file.operator_name(made) == "SELECT_V2"]
    scores = next(
        made
        for made in graph.operators
        if made.outputs[0] in masked.inputs and causal.file.operator_name(made) != "SUB"
    )
    assert causal.file.operator_name(scores) == "BATCH_MATMUL"
    assert "QUANTIZE" not in causal.operators


def test_outputs_of_masked_attention_agree_on_both_kernels(causal: Trained) -> None:
    simulated = causal.wrapped.predict(dict(causal.unseen), verbose=0)
    kinds: tuple[Kernels, ...] = ("default", "reference")
    for kernels in kinds:
        file = open_file(causal.path, 1, kernels)
        file.prepare(causal.unseen)
        file.set_inputs(causal.unseen)
        (found,), (details,) = file.predict().values(), file.outputs.values()
        steps = np.abs(found - simulated) / details["quantization"][0]
        assert (steps <= 1.001).mean() >= 0.99, kernels


def test_averages_are_rounded_as_the_file_rounds_them(tmp_path: Path) -> None:
    """AVERAGE_POOL_2D has one scale on both sides: with a range of its own, a QUANTIZE in front of it would clip."""
    tf_keras.utils.set_random_seed(0)
    given = {"image": np.random.default_rng(0).normal(size=(640, 8, 8, 3)).astype(np.float32)}
    image = layers.Input((8, 8, 3), name="image")
    x = layers.Dropout(0.1)(layers.Conv2D(8, 3, padding="same", activation="relu")(image))
    x = layers.AveragePooling2D(2, name="second")(layers.AveragePooling2D(2, name="first")(x))
    model = tf_keras.Model(image, layers.Dense(3, name="last")(layers.Flatten()(x)))
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [{"image": given["image"][:256]}])
    made = Trained(wrapped, _converted(model, wrapped, {"image": given["image"][:32]}, tmp_path), {})
    assert made.operators == ["CONV_2D", "AVERAGE_POOL_2D", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED"]

    simulated = wrapped.predict(given["image"][256:], verbose=0)
    file = open_file(made.path, 1)
    file.prepare({"image": given["image"][256:]})
    file.set_inputs({"image": given["image"][256:]})
    (found,), (details,) = file.predict().values(), file.outputs.values()
    assert (np.abs(found - simulated) <= 1.001 * details["quantization"][0]).mean() >= 0.98


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The last state of two LSTMs, and what is learned from it."""
    tf_keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    steps = layers.Input((8, 4), name="steps")
    x = layers.LSTM(16, dropout=0.1, return_sequences=True, name="lstm")(steps)
    x = layers.Dense(16, activation="relu", name="hidden")(layers.LSTM(12, name="lstm_1")(layers.Dropout(0.1)(x)))
    model = tf_keras.Model(steps, layers.Dense(3, name="last")(x))
    given = {"steps": random.uniform(size=(640, 8, 4)).astype(np.float32)}
    targets = [np.tanh(given["steps"].reshape(640, -1) @ random.normal(size=(32, 3)) / 4)]
    _fit(model, given, targets, 2)
    wrapped = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(wrapped, [{name: values[:64] for name, values in given.items()}])
    _fit(wrapped, given, targets, 1)
    shown = {name: values[:16] for name, values in given.items()}
    path = _converted(model, wrapped, shown, tmp_path_factory.mktemp("recurrent"))
    return Trained(wrapped, path, {name: values[512:] for name, values in given.items()})


def test_the_lstm_operators_compute_what_training_simulates(recurrent: Trained) -> None:
    assert recurrent.operators.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2
    assert "DEQUANTIZE" not in recurrent.operators
    file = open_file(recurrent.path, 1)
    found = []
    for step, example in enumerate(recurrent.unseen["steps"]):
        if step == 0:
            file.prepare({"steps": example[None]})
        file.interpreter.reset_all_variables()
        file.set_inputs({"steps": example[None]})
        found.extend(*file.predict().values())
    (details,) = file.outputs.values()
    simulated = recurrent.wrapped.predict(dict(recurrent.unseen), verbose=0)
    # Without the 16 bits inside of a step, a tenth of the outputs differed by more than a step.
    assert (np.abs(np.array(found) - simulated) <= 1.001 * details["quantization"][0]).mean() >= 0.99


def test_the_state_of_the_file_has_the_learned_range(recurrent: Trained) -> None:
    (graph,) = recurrent.file.model.subgraphs
    results = [
        graph.tensors[made.outputs[0]]
        for made in graph.operators
        if recurrent.file.operator_name(made) == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    ]
    learned = [
        float(lstm.ranges["max_var"] - lstm.ranges["min_var"]) / 255 for lstm in simulated_lstms(recurrent.wrapped)
    ]
    scales = [float(tensor.quantization.scale[0]) for tensor in results]
    np.testing.assert_allclose(sorted(scales), sorted(learned), rtol=1e-4)
