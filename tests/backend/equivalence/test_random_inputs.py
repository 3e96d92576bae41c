"""Random inputs that a model accepts."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf
pytest.importorskip("tf_keras")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402

from tfopt.backend.equivalence import random_inputs  # noqa: E402
from tfopt.errors import StageError  # noqa: E402


def test_grow_until_the_model_accepts_them() -> None:
    model = tf_keras.Sequential([tf_keras.layers.InputLayer((None, 4)), tf_keras.layers.Cropping1D(400)])
    (inputs,) = random_inputs(model)
    assert inputs.shape == (2, 1024, 4)


def test_shrink_for_a_model_with_a_table_of_positions() -> None:
    model = tf_keras.Sequential([tf_keras.layers.InputLayer((None, 4)), _UpToTwelve()])
    (inputs,) = random_inputs(model)
    assert inputs.shape == (2, 4, 4)


class _UpToTwelve(tf_keras.layers.Layer):
    """Refuses more than twelve steps, as a table of positions does."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.zeros((12, 4))[: tf.shape(inputs)[1]] + inputs


def test_an_error_quotes_a_model_that_accepts_none() -> None:
    model = tf_keras.Sequential(
        [tf_keras.layers.InputLayer((None, 4)), tf_keras.layers.Cropping1D(1 << 30)], name="greedy"
    )
    with pytest.raises(StageError, match="'greedy' could not be tried on random inputs"):
        random_inputs(model)


@pytest.mark.parametrize("library", [keras, tf_keras])
@pytest.mark.parametrize("bounded", [False, True])
def test_indices_stay_within_the_smallest_table(library, bounded: bool) -> None:
    small, large = library.Input((50,), dtype="int32"), library.Input((50,), dtype="int32")
    tables = library.layers.Embedding(3, 2)(small), library.layers.Embedding(1000, 2)(large)
    model = library.Model([small, large], library.layers.Add()(list(tables)))
    inputs = random_inputs(model, bounded=bounded)
    assert [values.dtype.name for values in inputs] == ["int32", "int32"]
    assert all(set(np.unique(values)) == {0, 1, 2} for values in inputs)


def test_values_follow_the_seed_and_the_bounds() -> None:
    model = tf_keras.Sequential([tf_keras.layers.InputLayer((100,)), tf_keras.layers.ReLU()])
    assert np.array_equal(random_inputs(model, 3), random_inputs(model, 3))
    assert not np.array_equal(random_inputs(model, 3), random_inputs(model, 4))
    assert np.abs(random_inputs(model, bounded=True)).max() <= 1 < np.abs(random_inputs(model)).max()
