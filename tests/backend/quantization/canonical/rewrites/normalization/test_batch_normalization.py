"""Batch normalization where no kernel takes it, preprocessing, averages, and activations inside kernels' layers."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import quantized_file, randomized, there_and_back, treatments
from tfopt.backend.equivalence import outputs
from tfopt.backend.quantization.canonical import Canonical, canonicalize, initial_weights

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Its outputs are the same there and back."""
    image = layers.Input((8, 8, 4), name="image")
    x = layers.Rescaling([1.0, 0.5, 2.0, 3.0], offset=0.5, name="rescaling")(image)
    x = layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0], name="preprocessing")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(scale=False, name="without_gamma")(x))
    x = layers.Conv2D(6, 3, activation="swish", name="swish")(x)
    y = layers.BatchNormalization(center=False, name="without_beta")(x)
    shared, shared_norm = layers.Conv2D(6, 3, padding="same"), layers.BatchNormalization(name="shared_norm")
    x = layers.Average(name="average")([shared_norm(shared(x)), shared_norm(shared(y)), y])
    x = layers.Conv2DTranspose(4, 3, use_bias=False, strides=2, name="transpose")(x)
    x = layers.ReLU(name="transpose_relu")(layers.BatchNormalization(name="transpose_norm")(x))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    logits = layers.Dense(3, name="logits")(layers.BatchNormalization(name="rank_2")(x))
    return there_and_back(tf_keras.Model(image, logits))


def test_there_and_back(canonical) -> None:
    assert {done.layer for done in canonical.rewrites} >= {"without_gamma", "without_beta", "rank_2"}


def test_the_file_is_integer_without_calibration_data(canonical) -> None:
    file = quantized_file(canonical)
    assert file.float_operators == []
    assert file.operators.count("MUL") == 1  # of swish


def test_what_the_plan_says(canonical) -> None:
    found = treatments(canonical)
    depthwise = "simulated, rewritten: BatchNormalization computed as 1x1 DepthwiseConv2D"
    assert {name: how for name, how in found.items() if name in ("without_gamma", "without_beta", "rank_2")} == {
        "without_gamma": depthwise,
        "without_beta": depthwise,
        "rank_2": depthwise,
    }
    assert found["relu"] == "fused with without_gamma"
    assert found["rescaling"] == found["preprocessing"] == "simulated, rewritten: computed as 1x1 DepthwiseConv2D"
    assert found["swish"] == "simulated, rewritten: activation as a separate layer"
    assert found["transpose"] == "simulated, rewritten: BatchNormalization folded in"
    assert found["average"].startswith("simulated, rewritten: computed as sum and scale")


def test_what_tfmot_fuses_stays_as_it_is() -> None:
    image = layers.Input((8, 8, 4))
    x = layers.Conv2D(6, 3, name="conv")(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="norm")(x))
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.BatchNormalization()(layers.Dense(3)(layers.Flatten()(layers.BatchNormalization()(x))))
    assert canonicalize(tf_keras.Model(image, x)).rewrites == ()


def test_frozen_layers_stay_frozen() -> None:
    image = layers.Input((8, 8, 4))
    x = layers.BatchNormalization(name="frozen", trainable=False)(image)
    x = layers.Conv2DTranspose(4, 3, use_bias=False, name="kernel")(layers.Rescaling(2.0)(x))
    x = layers.BatchNormalization(name="frozen_too", trainable=False)(x)
    canonical = there_and_back(tf_keras.Model(image, x))
    assert [weight.name for weight in canonical.model.trainable_weights] == ["kernel/kernel:0"]


def test_adapted_preprocessing() -> None:
    image = layers.Input((8, 8, 2))
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(0).uniform(0, 9, (16, 8, 8, 2)))
    model = tf_keras.Model(image, normalization(image))
    canonical = canonicalize(model)
    assert type(canonical.model.layers[-1]) is layers.DepthwiseConv2D
    back = canonical.restored(initial_weights(canonical))
    inputs = [np.ones((1, 8, 8, 2), np.float32)]
    np.testing.assert_array_equal(outputs(back, inputs)[0], outputs(model, inputs)[0])


@pytest.mark.parametrize(
    "layer", [layers.Rescaling(0.1), layers.Normalization(axis=1, mean=[0.0] * 8, variance=[2.0] * 8)]
)
def test_what_is_not_per_channel_or_of_integers_stays(layer) -> None:
    image = layers.Input((8, 6, 4), dtype="uint8" if isinstance(layer, layers.Rescaling) else "float32")
    assert canonicalize(tf_keras.Model(image, layer(image))).rewrites == ()


def test_zeros_and_equal_values_survive_folding() -> None:
    image = layers.Input((8, 8, 4))
    transpose = layers.Conv2DTranspose(4, 3, name="transpose")
    model = randomized(tf_keras.Model(image, layers.BatchNormalization()(transpose(image))))
    kernel = np.round(transpose.kernel.numpy() * 4) / 4
    transpose.kernel.assign(kernel)
    canonical = canonicalize(model)
    folded = canonical.model.get_layer("transpose").kernel.numpy()
    np.testing.assert_array_equal(folded == 0, kernel == 0)
    assert max(len(np.unique(folded[:, :, channel])) for channel in range(4)) <= len(np.unique(kernel))
