"""Inputs and outputs of Keras files of all times."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
import tf_keras

from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.core.records.report import AuditRecord

pytestmark = pytest.mark.tf


def ports(audit: AuditRecord) -> list[tuple[str, str, Any]]:
    return [(port.name, port.dtype, port.shape) for port in [*audit.inputs, *audit.outputs]]


def net(library: Any) -> Any:
    image = library.Input((8, 8, 1), name="image")
    x = library.layers.Conv2D(4, 3, name="stem")(image)
    x = library.layers.Flatten(name="flat")(x)
    heads = [library.layers.Dense(size, name=name)(x) for name, size in (("age", 1), ("kind", 3))]
    return library.Model(image, heads)


@pytest.mark.parametrize("library", [tf_keras, keras])
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_model_shows_inputs_and_outputs_with_their_shapes(library: Any, name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net(library).save(tmp_path / name)
    audit = inspect(tmp_path / name)
    assert ports(audit) == [("image", "float32", [-1, 8, 8, 1]), ("age", "float32", [-1, 1]),
                            ("kind", "float32", [-1, 3])]  # fmt: skip
    assert audit.operators == {"Conv2D": 1, "Dense": 2, "Flatten": 1, "InputLayer": 1}
    assert (audit.format, audit.computes_in) == (name.split(".")[1], ["float32"])


def test_keras_2_0_wrote_a_list_and_no_input_layer(tmp_path: Path) -> None:
    model = tf_keras.Sequential([tf_keras.Input((4,)), tf_keras.layers.Dense(3, name="dense_1")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "old.h5")
    dense = {"name": "dense_1", "units": 3, "activation": "relu", "batch_input_shape": [None, 4], "dtype": "float32"}
    config = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": dense}]}
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = file["model_weights"].attrs["keras_version"] = b"2.0.6"
    audit = inspect(tmp_path / "old.h5")
    assert ports(audit) == [("dense_1_input", "float32", [-1, 4]), ("dense_1", "float32", [-1, 3])]
    assert audit.operators == {"Dense": 1}
    # TensorFlow up to 2.11 wrote HDF5 whatever the name.
    (tmp_path / "old.h5").rename(tmp_path / "old.keras")
    assert inspect(tmp_path / "old.keras").operators == {"Dense": 1}


def test_layers_of_others_leave_the_shapes_open_and_run_nothing(tmp_path: Path) -> None:
    class Own(tf_keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    image = tf_keras.Input((4,), name="image")
    tf_keras.Model(image, Own(name="own")(image)).save(tmp_path / "own.keras")
    assert ports(inspect(tmp_path / "own.keras")) == [("image", "float32", [-1, 4]), ("own", "?", None)]


def test_mixed_precision_is_seen(tmp_path: Path) -> None:
    image = tf_keras.Input((4,), name="image")
    x = tf_keras.layers.Dense(3, dtype="mixed_float16", name="dense")(image)
    tf_keras.Model(image, x).save(tmp_path / "mixed.keras")
    audit = inspect(tmp_path / "mixed.keras")
    assert audit.computes_in == ["mixed_float16"]
    assert ports(audit)[1] == ("dense", "float16", [-1, 3])
