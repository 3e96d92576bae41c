from __future__ import annotations

import pytest
import tensorflow as tf
import tf_keras

from tests.support.models import small_model
from tfopt.backend.training.precision.forecast import precision_warnings

pytestmark = pytest.mark.tf


class Own(tf_keras.layers.Layer):
    """Knows nothing of mixed precision."""

    def build(self, shape):
        self.kernel = self.add_weight("kernel", (shape[-1], 10))

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)


@pytest.mark.parametrize("precision", [None, "float32"])
def test_float32_is_nothing_to_speak_of(precision):
    assert precision_warnings(small_model(), precision, trains=True) == []


def test_a_precision_that_no_stage_trains_in_is_told():
    (told,) = precision_warnings(small_model(), "mixed_bfloat16", trains=False)
    assert "no effect" in told


def test_it_is_told_where_layers_stay_in_float32_and_where_no_gpu_is(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    (told,) = precision_warnings(small_model(), "mixed_float16", trains=True)
    assert "finds none here" in told
    own = tf_keras.Sequential([tf_keras.layers.Input((4,)), Own(), tf_keras.layers.Dense(1)], name="own")
    about_layers, _ = precision_warnings(own, "mixed_float16", trains=True)
    assert "'own'" in about_layers
