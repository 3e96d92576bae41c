"""Weights and layers of Keras files, read as data."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.backend.audit.keras import audit_keras
from tfopt.errors import ExportError, UsageError

pytestmark = pytest.mark.tf
KERNEL = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]], np.float32)
BIAS = np.zeros(2, np.float32)
CONFIG = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 3], "dtype": "float32"}},
            {"class_name": "Dense", "config": {"name": "hidden"}},
            {"class_name": "Dense", "config": {"name": "head"}},
        ]
    },
}


def keras_archive(path: Path) -> Path:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for layer in ("dense", "dense_1"):
            file[f"layers/{layer}/vars/0"] = KERNEL
            file[f"layers/{layer}/vars/1"] = BIAS
        file["optimizer/vars/0"] = np.ones((3, 2), np.float32)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(CONFIG))
        archive.writestr("model.weights.h5", weights.getvalue())
    return path


def test_weights_of_an_archive_belong_to_their_layers_and_those_of_the_optimizer_are_left_out(tmp_path: Path) -> None:
    audit = audit_keras(keras_archive(tmp_path / "model.keras"))
    assert [(tensor.layer, tensor.role) for tensor in audit.tensors] == [
        ("hidden", "weight"), ("hidden", "bias"), ("head", "weight"), ("head", "bias"),
    ]  # fmt: skip
    assert audit.operators == {"Dense": 2, "InputLayer": 1}
    assert audit.sparsity == 0.5
    assert [(port.name, port.dtype, port.shape) for port in audit.inputs] == [("image", "float32", [-1, 3])]


def test_an_hdf5_file_keeps_its_weights_below_its_layers(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(CONFIG)
        file["model_weights/hidden/hidden/kernel:0"] = KERNEL
        file["model_weights/hidden/hidden/bias:0"] = BIAS
    audit = audit_keras(path)
    assert {(tensor.layer, tensor.role, tensor.sparsity) for tensor in audit.tensors} == {
        ("hidden", "weight", 0.5), ("hidden", "bias", 1.0),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_damaged_file_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    whole = keras_archive(tmp_path / "whole.keras").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExportError, match=f"{name} is malformed") as raised:
        inspect(tmp_path / name)
    assert raised.value.code == "malformed_file"


@pytest.mark.parametrize(
    "config",
    ["[" * 10_000 + "]" * 10_000, "null", "[1, 2]", '{"config": {"layers": [1]}}', '{"config": {"layers": {"a": 1}}}'],
    ids=["deep", "null", "list", "number as layer", "mapping of layers"],
)
def test_a_configuration_that_is_none_is_an_error_that_names_the_file(config: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        with h5py.File(tmp_path / "weights.h5", "w"):
            pass
        archive.write(tmp_path / "weights.h5", "model.weights.h5")
    with pytest.raises(ExportError, match=r"hostile\.keras is malformed") as raised:
        inspect(path)
    assert raised.value.code == "malformed_file"


def test_files_that_cannot_be_inspected(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match=r"model\.onnx is of a type that cannot be inspected"):
        inspect(tmp_path / "model.onnx")
    with pytest.raises(UsageError, match="There is no file"):
        inspect(tmp_path / "none.tflite")
