"""Random inputs that a model takes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tf


def test_grow_until_the_model_takes_them():
    import tf_keras

    from tfopt.backend.quantization.canonical.equality import random_inputs

    model = tf_keras.Sequential([tf_keras.layers.InputLayer((None, 4)), tf_keras.layers.Cropping1D(400)])
    (inputs,) = random_inputs(model)
    assert inputs.shape == (2, 1024, 4)


def test_a_model_that_takes_none_is_told_of():
    import tf_keras

    from tfopt.backend.quantization.canonical.equality import random_inputs
    from tfopt.errors import StageError

    model = tf_keras.Sequential(
        [tf_keras.layers.InputLayer((None, 4)), tf_keras.layers.Cropping1D(1 << 30)], name="greedy"
    )
    with pytest.raises(StageError, match="'greedy' could not be tried on random inputs"):
        random_inputs(model)
