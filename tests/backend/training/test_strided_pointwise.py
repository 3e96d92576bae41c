"""A gradient kernel of TensorFlow that kills the process is not used in training."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf


def _model():
    import tf_keras
    from tf_keras import layers

    inputs = tf_keras.Input((60, 60, 8))
    x = layers.Conv2D(16, 1, strides=2, padding="same", use_bias=False, name="shortcut")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    return tf_keras.Model(inputs, layers.Dense(3, name="logits")(x))


def test_answers_are_the_same_and_the_layer_is_as_before():
    from tfopt.backend.training.strided_pointwise import strided_pointwise_spared

    model = _model()
    before = dict(vars(model.get_layer("shortcut")))
    images = np.random.default_rng(0).normal(size=(4, 60, 60, 8)).astype(np.float32)
    expected = model(images).numpy()
    with strided_pointwise_spared(model):
        assert "convolution_op" in vars(model.get_layer("shortcut"))
        np.testing.assert_allclose(model(images).numpy(), expected, rtol=1e-5, atol=1e-6)
    assert vars(model.get_layer("shortcut")).keys() == before.keys()


def test_grouped_strides_and_odd_sizes_give_the_same():
    import tf_keras

    from tfopt.backend.training.strided_pointwise import strided_pointwise_spared

    for size, groups, strides, free in ((7, 1, (2, 3), False), (8, 2, (3, 2), False), (7, 1, (2, 2), True)):
        inputs = tf_keras.Input((None, None, 4) if free else (size, size + 1, 4))
        layer = tf_keras.layers.Conv2D(6, 1, strides=strides, padding="same", groups=groups)
        model = tf_keras.Model(inputs, layer(inputs))
        images = np.random.default_rng(1).normal(size=(2, size, size + 1, 4)).astype(np.float32)
        expected = model(images).numpy()
        with strided_pointwise_spared(model):
            np.testing.assert_allclose(model(images).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_training_survives(tmp_path):
    """Without the detour this test kills the test process (x86, oneDNN)."""
    from tfopt.backend.data.splits import Data, Split
    from tfopt.backend.stages import fit as training
    from tfopt.core.config.training.compile import Compile
    from tfopt.core.contracts.stage import StageContext
    from tfopt.stages.train import Train

    numbers = np.random.default_rng(2)
    split = Split(numbers.normal(size=(64, 60, 60, 8)).astype(np.float32), numbers.integers(0, 3, 64))
    context = StageContext(
        data=Data(split, split, split, source="test"),
        compile=Compile.model_validate(
            {"loss": {"name": "sparse_categorical_crossentropy", "from_logits": True}, "metrics": ["accuracy"]}
        ),
        batch_size=16,
        seed=0,
        emit=lambda event: None,
        work=tmp_path / "work",
        logs=tmp_path / "logs",
    )
    model = _model()
    before = model.get_layer("shortcut").get_weights()[0].copy()
    training.train(model, Train(name="train", epochs=3), context)
    after = model.get_layer("shortcut").get_weights()[0]
    assert np.isfinite(after).all()
    assert np.abs(after - before).max() > 0
