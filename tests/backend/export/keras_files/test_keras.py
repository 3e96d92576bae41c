"""SavedModel and `.keras`: written for inference, read back, compared; and what an inspection finds in them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.children.plain_keras import run_plain_tensorflow
from tests.support.contexts import export_context
from tests.support.exporting import Exported, StandIn
from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.backend.export.keras_files import keras as keras_files
from tfopt.core.records.report import AuditRecord
from tfopt.errors import ExportError, UsageError

pytestmark = pytest.mark.tf


def kernels(audit: AuditRecord) -> dict[str | None, float]:
    return {tensor.layer: tensor.sparsity for tensor in audit.tensors if tensor.role == "weight"}


def test_a_saved_model_serves_the_same_outputs(exported: Exported, tmp_path: Path) -> None:
    data = exported.context.data
    context = export_context(tmp_path / "export", data, dense={"accuracy": 0.99})
    record = keras_files.export_saved_model(StandIn(None, exported.model), context)
    assert (record.name, record.format, record.path) == ("saved_model", "saved_model", "export/saved_model")
    assert record.measures["agreement"] == 1.0
    assert record.measures["accuracy"] == pytest.approx(exported.records["float32"].measures["accuracy"], abs=0.01)
    assert record.measures["accuracy_drop"] == pytest.approx(0.99 - record.measures["accuracy"])
    assert all(claim.held for claim in record.claims)
    folder = context.folder / "saved_model"
    assert record.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert [path.name for path in context.folder.iterdir()] == ["saved_model"]
    # As a server would: plain TensorFlow, nothing of tfopt or Keras.
    np.save(tmp_path / "images.npy", data.test.inputs[:5])
    script = f"""
import numpy as np, tensorflow as tf, sys
serve = tf.saved_model.load({str(folder)!r}).signatures["serving_default"]
np.save({str(tmp_path / "outputs.npy")!r}, serve(image=tf.constant(np.load({str(tmp_path / "images.npy")!r})))["digit"])
assert "tfopt" not in sys.modules
"""
    run_plain_tensorflow(script, tmp_path)
    expected = exported.model.predict(data.test.inputs[:5], verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), expected, atol=1e-5)
    audit = inspect(folder)
    assert audit.signatures == ["serving_default"]
    assert [(port.name, port.shape) for port in audit.inputs] == [("image", [-1, 8, 8, 1])]
    assert kernels(audit)["hidden"] == pytest.approx(0.75, abs=0.01)


def test_a_keras_file_comes_back_with_the_same_outputs_and_without_the_optimizer(
    exported: Exported, tmp_path: Path
) -> None:
    first = export_context(tmp_path / "first" / "export", exported.context.data)
    record = keras_files.export_keras(exported.model, first)
    assert (record.name, record.path) == ("keras", "export/model.keras")
    assert record.measures["agreement"] == 1.0
    assert all(claim.held for claim in record.claims)
    file = first.folder / "model.keras"
    audit = inspect(file)
    assert kernels(audit)["hidden"] == pytest.approx(0.75, abs=0.01)
    assert kernels(audit)["stem"] == pytest.approx(0.75, abs=0.01)
    assert audit.operators["Dense"] == 2
    assert record.bytes < 1.3 * sum(tensor.bytes for tensor in audit.tensors) + 20_000
    second = export_context(tmp_path / "second" / "export", exported.context.data)
    again = keras_files.export_keras(exported.model, second)
    assert (second.folder / "model.keras").read_bytes() == file.read_bytes()
    assert again.gzip_bytes == record.gzip_bytes


def test_h5_is_inspected_by_layer(exported: Exported, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="saving your model as an HDF5 file"):
        exported.model.save(tmp_path / "model.h5", include_optimizer=False)
    audit = inspect(tmp_path / "model.h5")
    assert set(kernels(audit)) == {"stem", "depth", "hidden", "digit"}
    assert kernels(audit)["hidden"] == pytest.approx(0.75, abs=0.01)
    assert [port.name for port in audit.inputs] == ["image"]


def test_a_nested_model_is_inspected_by_its_layers(tmp_path: Path) -> None:
    import tf_keras

    layers = tf_keras.layers
    backbone = tf_keras.Sequential([tf_keras.Input((4, 4, 1)), layers.Conv2D(2, 3, name="inner")], name="backbone")
    image = tf_keras.Input((4, 4, 1), name="image")
    features = layers.Reshape((4, 2))(backbone(image))
    both = layers.Bidirectional(layers.LSTM(3), name="both")(features)
    model = tf_keras.Model(image, layers.Dense(2, name="head")(both))
    model.save(tmp_path / "nested.keras")
    assert set(kernels(inspect(tmp_path / "nested.keras"))) == {"inner", "both", "head"}
    assert [port.name for port in inspect(tmp_path / "nested.keras").inputs] == ["image"]


def test_a_tflite_file_is_inspected_by_its_suffix(exported: Exported) -> None:
    assert inspect(exported.file("int8")).float_operators == {}


def test_a_broken_or_foreign_file_is_refused(tmp_path: Path) -> None:
    for name in ("model.keras", "model.h5"):
        (tmp_path / name).write_bytes(b"not a model")
        with pytest.raises(ExportError, match=rf"{name} is malformed"):
            inspect(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ExportError, match=r"empty\.keras is malformed"):
        inspect(tmp_path / "empty.keras")
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match=r"model\.onnx is of a type that cannot be inspected"):
        inspect(tmp_path / "model.onnx")
    with pytest.raises(UsageError, match=r"There is no file .*gone\.tflite"):
        inspect(tmp_path / "gone.tflite")
    with pytest.raises(ExportError, match="cannot be read as a SavedModel"):
        inspect(tmp_path)
