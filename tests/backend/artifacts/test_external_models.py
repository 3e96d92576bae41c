"""External models: files are loaded, and compared with the model of the recipe by their shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.models import answers
from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tfopt.core.config.model_source import ModelLocation
from tfopt.errors import ExportError, StageError

pytestmark = pytest.mark.tf


def test_files_are_loaded_and_checked(tmp_path: Path) -> None:
    import tensorflow as tf
    import tf_keras

    from tfopt.backend.artifacts.external_models import load_external_model, reason_incompatible

    layers = [tf_keras.layers.InputLayer((8, 8, 1)), tf_keras.layers.Flatten(), tf_keras.layers.Dense(10, "softmax")]
    model = tf_keras.Sequential(layers)
    model.save(tmp_path / "teacher.keras")
    (tmp_path / "teacher.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    examples = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    other = tf_keras.Sequential([tf_keras.layers.InputLayer((64,)), tf_keras.layers.Dense(10)])
    narrow = tf_keras.Sequential([*layers[:2], tf_keras.layers.Dense(3)])
    for name in ("teacher.keras", "teacher.tflite"):
        loaded = load_external_model(ModelLocation(name, "file", tmp_path / name))
        assert reason_incompatible(loaded, model) is None
        outputs = loaded.predict(examples)
        np.testing.assert_allclose(outputs, answers(model, examples), atol=1e-6)
        assert reason_incompatible(loaded, other) == (
            "expects examples of shape (8, 8, 1), but this recipe's model expects (64,)."
        )
        assert reason_incompatible(loaded, narrow) == (
            "returns outputs of shape (10,), but this recipe's model returns (3,)."
        )


def test_a_tflite_file_with_several_outputs_cannot_be_a_teacher(tmp_path: Path) -> None:
    from tfopt.backend.artifacts.external_models import load_file

    tensors = [Tensor(name, 0, [1, 4]) for name in ("image", "one", "two")]
    path = write(tmp_path / "two.tflite", Graph(tensors, [(0, [0], [1]), (0, [0], [2])], [0], [1, 2]))
    with pytest.raises(StageError, match=r"two\.tflite has 2 outputs: one, two\.") as raised:
        load_file(path)
    assert raised.value.code == "incompatible_model"


def test_a_damaged_tflite_file_is_an_error(tmp_path: Path) -> None:
    from tfopt.backend.artifacts.external_models import load_file

    (tmp_path / "damaged.tflite").write_bytes(b"0000TFL3" + bytes(range(40)))
    with pytest.raises(ExportError, match=r"damaged\.tflite is malformed"):
        load_file(tmp_path / "damaged.tflite")
