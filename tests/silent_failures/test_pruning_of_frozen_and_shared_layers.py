"""A frozen layer is pruned all the same; a shared one runs its schedule twice as fast."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tests.silent_failures import naive_pruning as naive
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tfopt.backend.stages import prune as pruning
from tfopt.stages.prune import Prune

pytestmark = pytest.mark.tf

layers = tf_keras.layers
STAGE = Prune.model_validate(
    {"epochs": 2, "schedule": {"kind": "polynomial", "final": 0.8, "power": 1, "begin": "0%", "end": "100%"}}
)


def frozen_model():
    tf_keras.utils.set_random_seed(0)
    dense = layers.Dense(32, activation="relu", name="frozen", trainable=False)
    return tf_keras.Sequential(
        [layers.Flatten(input_shape=(8, 8, 1)), dense, layers.Dense(10, "softmax", name="logits")]
    )


def shared_model():
    tf_keras.utils.set_random_seed(0)
    inputs = layers.Input((8, 8, 1))
    halves = layers.Reshape((2, 32), name="halves")(inputs)
    shared = layers.Dense(16, activation="relu", name="shared")
    one = shared(layers.Cropping1D((0, 1), name="top")(halves))
    other = shared(layers.Cropping1D((1, 0), name="bottom")(halves))
    x = layers.Flatten(name="flatten")(layers.Concatenate(name="both")([one, other]))
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))


@pytest.mark.slow
def test_naively_a_frozen_layer_is_pruned():
    model = naive.fit(naive.wrap(frozen_model(), naive.sparsity.ConstantSparsity(0.5, 1, frequency=1)), 1)

    assert naive.zeros(naive.named(model, "frozen")) == pytest.approx(0.5, abs=0.01)


def test_here_a_frozen_layer_keeps_every_weight_and_is_named(tmp_path):
    model = frozen_model()
    before = model.get_layer("frozen").kernel.numpy()
    log = Log()

    result = pruning.prune(model, STAGE, STAGE, context(tmp_path, log, data=digits(640)))

    assert np.array_equal(model.get_layer("frozen").kernel.numpy(), before)
    assert result.skipped == {"frozen": "is frozen (trainable=False)"}
    assert naive.zeros(model.get_layer("logits")) == pytest.approx(0.8, abs=0.01)


@pytest.mark.slow
def test_naively_a_shared_layer_runs_ahead():
    schedule = naive.sparsity.PolynomialDecay(0.0, 0.8, 0, 20, power=1, frequency=1)

    model = naive.fit(naive.wrap(shared_model(), schedule), 1)

    assert int(naive.named(model, "shared").pruning_step) == 20
    assert int(naive.named(model, "logits").pruning_step) == 10
    assert naive.zeros(naive.named(model, "shared")) == pytest.approx(0.8, abs=0.01)
    assert naive.zeros(naive.named(model, "logits")) == pytest.approx(0.4, abs=0.01)


def test_here_a_shared_layer_keeps_time(tmp_path):
    log = Log()

    model = pruning.prune(shared_model(), STAGE, STAGE, context(tmp_path, log, data=digits(640))).model

    measured = [entry["sparsity"] for entry in log.of("epoch")]
    assert measured == pytest.approx([0.4, 0.8], abs=0.005)
    assert naive.zeros(model.get_layer("shared")) == pytest.approx(0.8, abs=0.005)
