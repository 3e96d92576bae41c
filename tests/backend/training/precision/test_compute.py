"""What computes in 16 bits, and that nothing of it is left after a stage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.stages import fit as training
from tfopt.backend.stages.prune import prune
from tfopt.backend.training import composed_step
from tfopt.backend.training.precision.compute import computing_in
from tfopt.core.config.training.compile import Compile
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf
layers = tf_keras.layers


def model_of_many() -> tf_keras.Model:
    """Layers that compute in 16 bits, that pass them on, and that know nothing of them."""
    tf_keras.utils.set_random_seed(1)
    image = layers.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(image)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(layers.BatchNormalization(name="norm")(x))
    x = layers.Add(name="add")([x, layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)])
    x = x * 2.0 + tf.constant(1.0)  # operators without a layer of their own
    x = layers.Reshape((16, 16), name="rows")(x)
    x = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    x = layers.TimeDistributed(layers.Dense(5), name="each")(x)
    x = layers.GroupNormalization(5, name="groups")(x)
    return tf_keras.Model(image, layers.Dense(10, activation="softmax", name="logits")(layers.GRU(6, name="gru")(x)))


def seen_types(model: tf_keras.Model, precision: str) -> dict[str, str]:
    """What each layer returns in a training step that is traced in a precision."""
    found = {}
    reader = tf_keras.Model(model.inputs, [layer.output for layer in model.layers[1:]])

    @tf.function
    def step(images: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            outputs = reader(images, training=True)
            loss = tf.reduce_sum(outputs[-1] ** 2)
        found.update(zip([layer.name for layer in model.layers[1:]], (one.dtype.name for one in outputs), strict=True))
        return tape.gradient(loss, model.trainable_variables)

    with computing_in(precision, model):
        gradients = step(tf.constant(digits().train.inputs[:8]))
    assert all(np.isfinite(gradient.numpy()).all() for gradient in gradients)
    assert {gradient.dtype for gradient in gradients} == {tf.float32}
    return found


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_kernels_compute_in_16_bits_and_what_is_not_known_in_float32(half):
    model = model_of_many()
    found = seen_types(model, f"mixed_{half}")
    assert {found[name] for name in ("conv", "norm", "prelu", "depthwise", "add", "rows", "attention", "both")} == {
        half
    }
    assert {found[name] for name in ("groups", "logits")} == {"float32"}
    assert {kind for name, kind in found.items() if name.startswith("tf.")} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    assert {layer.dtype_policy.name for layer in all_layers(model)} == {"float32"}
    twin, images = model_of_many(), digits().train.inputs[:8]
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(images, training=False), twin(images, training=False))


def test_masks_of_pruning_are_exact_and_weights_are_not_rounded(tmp_path):
    stage = Prune(
        name="prune",
        epochs=2,
        schedule={"kind": "polynomial", "final": "75%", "begin": "0%", "end": "50%", "every": "2 steps"},
    )
    model = small_model()
    asked = replace(context(tmp_path, data=digits(256)), precision="mixed_float16")
    result = prune(model, stage, stage, asked)
    kernel = model.get_layer("hidden").kernel.numpy()
    assert np.mean(kernel == 0) == pytest.approx(0.75, abs=0.005)
    kept = kernel[kernel != 0]
    assert np.mean(kept == kept.astype(np.float16)) < 0.5
    precision = result.details["precision"]
    assert precision["policy"] == "mixed_float16"
    assert precision["share"] > 0.9
    assert precision["loss_scale"] >= 1


def test_a_resumed_stage_has_the_same_loss_scale_and_weights(tmp_path, monkeypatch):
    # The scale doubles every three steps, so that eight steps change it before and after the interruption.
    growing = partial(tf_keras.mixed_precision.LossScaleOptimizer, initial_scale=16.0, dynamic_growth_steps=3)
    monkeypatch.setattr(tf_keras.mixed_precision, "LossScaleOptimizer", growing)
    data = digits(256)
    stage = Train(name="train", epochs=2)

    def run(folder, react=lambda event: None):
        model = small_model()
        details = training.train(model, stage, replace(context(folder, react, data=data), precision="mixed_float16"))
        return model, details.details["precision"]

    def interrupt(event):
        if event["event"] == "epoch":
            raise KeyboardInterrupt

    whole, precision = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", interrupt)
    log = Log()
    resumed, again = run(tmp_path / "cut", log)
    assert log.of("progress")[0]["step"] > 4, "the first epoch was trained again"
    assert precision["loss_scale"] == 64
    assert again == precision
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_batches_per_step_are_one_large_batch(tmp_path, monkeypatch):
    accumulated, parts = composed_step.accumulated, []

    def recorded(gradients_of, batch, at_once, variables):
        parts.append(at_once)
        return accumulated(gradients_of, batch, at_once, variables)

    monkeypatch.setattr(composed_step, "accumulated", recorded)
    weights = []
    for steps, folder in ((None, "one"), (4, "four")):
        tf_keras.utils.set_random_seed(2)
        model = tf_keras.Sequential(
            [
                layers.Input((8, 8, 1)),
                layers.Flatten(),
                layers.Dense(8, kernel_regularizer="l2"),
                layers.Dense(10, "softmax"),
            ]
        )
        compile = Compile() if steps is None else Compile(gradient_accumulation_steps=steps)
        # 270 examples: the last step of an epoch has 30, in parts of 20 and 10, which must not count the same.
        training.train(
            model,
            Train(name="train", epochs=2),
            context(tmp_path / folder, data=digits(270), compile=compile, batch_size=80),
        )
        weights.append(model.get_weights())
    assert set(parts) == {20}
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
