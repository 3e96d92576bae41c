from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.models.zoo import small_cnn

pytestmark = pytest.mark.tf


def written(model: tf_keras.Model, folder: Path) -> dict[str, bytes]:
    saved_model.write_saved_model(model, saved_model.signature_of(model), folder)
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_model_gives_the_same_bytes_whatever_came_before(tmp_path: Path) -> None:
    model = small_cnn.build((8, 8, 1), 10, filters=(4,))
    first = written(model, tmp_path / "first")
    for _ in range(12_345):
        tf.constant(0)
    twin = small_cnn.build((8, 8, 1), 10, filters=(4,))
    twin.set_weights(model.get_weights())
    second = written(twin, tmp_path / "second")
    assert {name for name in first if first[name] != second[name]} == set()


def test_it_still_serves(tmp_path: Path) -> None:
    model = small_cnn.build((8, 8, 1), 10, filters=(4,))
    written(model, tmp_path / "model")
    images = np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    (served,) = loaded.signatures["serving_default"](tf.constant(images)).values()
    np.testing.assert_allclose(served, model(images), atol=1e-6)
