from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.errors import refused
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.stages import fit as training
from tfopt.errors import StageError
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


def train(folder, precision, inputs_times=1.0, kernel_times=1.0, last_times=1.0):
    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(16, name="wide"), layers.Dense(10, "softmax")]
    )
    kernel = model.get_layer("wide").kernel
    kernel.assign(kernel * kernel_times)
    last = model.layers[-1].kernel
    last.assign(last * last_times)
    some = digits(512)
    large = Data(
        Split(some.train.inputs * np.float32(inputs_times), some.train.targets),
        some.validation,
        some.test,
        source="digits",
        num_classes=10,
    )
    asked = replace(context(folder, data=large, batch_size=16), precision=precision)
    return training.train(model, Train(name="train", epochs=1, learning_rate=1e-6), asked)


def test_the_layer_whose_outputs_overflow_is_named(tmp_path):
    with refused(StageError, "precision_overflow", "'wide'", "65,504", "mixed_bfloat16"):
        train(tmp_path, "mixed_float16", inputs_times=6e4, kernel_times=100.0)


def test_gradients_that_never_fit_are_an_error_not_a_model_that_learns_nothing(tmp_path):
    with refused(StageError, "precision_overflow", "gradients"):
        train(tmp_path, "mixed_float16", inputs_times=6e4, kernel_times=1e-6, last_times=100.0)


def test_bfloat16_has_the_range(tmp_path):
    assert train(tmp_path, "mixed_bfloat16", inputs_times=6e4, kernel_times=1e-6).details["precision"]["share"] > 0.9
