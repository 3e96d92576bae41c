"""Running files: batches predict what single examples do, states are reset, inputs and outputs are quantized."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.contexts import export_context
from tests.support.digits import digits
from tests.support.exporting import Exported
from tfopt.backend.export import tflite
from tfopt.backend.tflite import benchmark, child_process, predict
from tfopt.backend.tflite import interpreter as litert
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.errors import ExportError

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.asarray(digits().test.inputs[:40])


@pytest.mark.parametrize("name", ["float32", "dynamic", "int8", "uint8", "sparse"])
def test_a_batch_gives_the_outputs_of_single_examples(exported: Exported, images: np.ndarray, name: str) -> None:
    file = str(exported.file(name))
    together, batch, reason = predict.predict(file, {"image": images}, 1, "default")
    assert (batch, reason) == (40, "")
    alone = [predict.predict(file, {"image": images[i : i + 1]}, 1, "default")[0]["digit"] for i in range(len(images))]
    np.testing.assert_allclose(together["digit"], np.concatenate(alone), atol=1e-5)


def test_the_last_batch_may_be_smaller(exported: Exported) -> None:
    inputs = digits().test.inputs
    assert len(inputs) % predict._BATCH != 0
    outputs, batch, _ = predict.predict(str(exported.file("float32")), {"image": inputs}, 1, "default")
    assert batch == predict._BATCH
    expected = exported.model.predict(inputs, verbose=0)
    np.testing.assert_allclose(outputs["digit"], expected, atol=1e-4)


def test_integer_ports_are_quantized_by_their_own_scale(exported: Exported, images: np.ndarray) -> None:
    whole = predict.predict(str(exported.file("float_io")), {"image": images}, 1, "default")[0]["digit"]
    for name in ("int8", "uint8"):
        outputs = predict.predict(str(exported.file(name)), {"image": images}, 1, "default")[0]["digit"]
        np.testing.assert_array_equal(outputs, whole)


def test_values_outside_the_range_of_an_input_are_clipped() -> None:
    values = np.array([-100.0, -0.26, 0.0, 0.24, 1000.0], np.float32)
    np.testing.assert_array_equal(litert.quantized(values, np.int8, 0.5, 3), [-128, 2, 3, 3, 127])
    np.testing.assert_array_equal(litert.quantized(values, np.uint8, 0.5, 3), [0, 2, 3, 3, 255])
    assert litert.quantized(values, np.float32, 0.0, 0).dtype == np.float32
    np.testing.assert_allclose(litert.dequantized(np.array([-128, 3], np.int8), 0.5, 3), [-65.5, 0.0])


def test_reference_kernels_predict_the_same(exported: Exported, images: np.ndarray) -> None:
    file = str(exported.file("int8"))
    fast = predict.predict(file, {"image": images}, 1, "default")[0]["digit"]
    plain = predict.predict(file, {"image": images}, 1, "reference")[0]["digit"]
    assert np.mean(fast.argmax(-1) == plain.argmax(-1)) > 0.97


def test_run_file_predicts_in_a_child_process(exported: Exported, images: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", images)
    given = predict.run_file(exported.file("int8"), {"image": tmp_path / "images.npy"}, tmp_path, threads=2)
    np.testing.assert_array_equal(
        given.outputs["digit"], predict.predict(str(exported.file("int8")), {"image": images}, 2, "default")[0]["digit"]
    )
    assert (given.batch, given.threads) == (40, 2)


def test_examples_for_another_input_are_refused(exported: Exported, images: np.ndarray) -> None:
    with pytest.raises(ExportError, match=r"has the inputs \['image'\], but examples are given for \['picture'\]"):
        predict.predict(str(exported.file("int8")), {"picture": images}, 1, "default")


def test_a_malformed_file_ends_in_a_message(exported: Exported, images: np.ndarray, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(exported.file("int8").read_bytes()[:3000])
    np.save(tmp_path / "images.npy", images)
    with pytest.raises(child_process.ProcessFailed, match=r"broken\.tflite is malformed"):
        predict.run_file(broken, {"image": tmp_path / "images.npy"}, tmp_path)
    with pytest.raises(ExportError, match=r"broken\.tflite is malformed"):
        benchmark.bench([exported.file("int8"), broken])


def test_the_state_of_an_lstm_is_reset_before_each_example(tmp_path: Path) -> None:
    import tf_keras

    tf_keras.utils.set_random_seed(3)
    data = digits(rows=True)
    layers = tf_keras.layers
    model = tf_keras.Sequential([tf_keras.Input((8, 8), name="rows"), layers.LSTM(24, name="rnn"), layers.Dense(10)])
    compile = Compile(loss={"name": "sparse_categorical_crossentropy", "from_logits": True})
    model.compile("adam", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data.train.inputs, data.train.targets, epochs=3, batch_size=32, verbose=0)
    context = export_context(tmp_path / "export", data, compile=compile)
    variants = {"float32": Variant(), "int8": Variant(quantize="int8", io="int8", calibration=32)}
    plain, int8 = tflite.export(model, variants, context)
    assert plain.measures["agreement"] == 1.0
    assert int8.measures["agreement"] > 0.9
    assert "state" in plain.details["one_by_one"]
    assert int8.audit is not None
    assert int8.audit.operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1
    assert int8.audit.float_operators == {}
    # Without the reset, an output depends on the examples before it.
    lite = litert.open_file(context.folder / "float32.tflite", 1)
    rows = {"rows": data.test.inputs[:12]}
    kept = predict._one_by_one(lite, rows)
    reset = predict._one_by_one(lite, rows, resets=True)
    (name,) = kept
    np.testing.assert_allclose(reset[name], model.predict(rows["rows"], verbose=0), atol=1e-4)
    assert np.abs(kept[name][1:] - reset[name][1:]).max() > 0.1


def test_latency_is_measured_without_tensorflow(exported: Exported) -> None:
    files = [str(exported.file("float32")), str(exported.file("int8"))]
    result = child_process.call("tests.support.children.processes:time_and_list", {"files": files, "example": {}})
    assert result["loaded"] == []
    assert [row["name"] for row in result["rows"]] == ["float32.tflite", "int8.tflite"]
    for row in result["rows"]:
        assert 0 < row["latency_ms_p10"] <= row["latency_ms"] <= row["latency_ms_p90"]
        assert row["invocations"] >= 3


def test_bench_gives_plain_values_for_every_file(exported: Exported) -> None:
    rows = benchmark.bench([exported.file("int8"), exported.file("float32")], threads=2, rounds=2)
    assert [row["name"] for row in rows] == ["int8.tflite", "float32.tflite"]
    assert [row["bytes"] for row in rows] == [exported.records[name].bytes for name in ("int8", "float32")]
    assert {row["threads"] for row in rows} == {2}
