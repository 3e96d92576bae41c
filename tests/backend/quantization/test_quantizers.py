"""Rounding of kernels."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization.keras import quantize_model
from tf_keras import layers

from tests.support.digits import training_images
from tests.support.files import int8_file
from tests.support.models import answers
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.quantizers import (
    ActivationQuantizer,
    ConstantQuantizer,
    DivisorQuantizer,
    InputQuantizer,
    KernelQuantizer,
    Observing,
)
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def uneven() -> tf_keras.Model:
    """A depthwise layer whose channels differ by a factor of 1000, and a layer that makes up for it."""
    depthwise = layers.DepthwiseConv2D(3, name="depthwise")
    pointwise = layers.Conv2D(4, 1, use_bias=False, name="pointwise")
    stack = [layers.InputLayer((8, 8, 1), name="image"), layers.Conv2D(4, 1, name="spread"), depthwise, pointwise]
    model = tf_keras.Sequential(stack)
    factors = np.array([1, 1e-1, 1e-2, 1e-3], np.float32)
    random = np.random.default_rng(0)
    weights = random.normal(size=(3, 3, 4, 1)).astype(np.float32) * factors[:, None]
    depthwise.set_weights([weights, np.zeros(4)])
    pointwise.set_weights([np.diag(1 / factors)[None, None].astype(np.float32)])
    return model


def _error(model: tf_keras.Model, reference: tf_keras.Model) -> float:
    """Largest relative error in the channel with the smallest weights."""
    images = training_images()[:64]
    expected = answers(reference, images)[..., -1]
    found = answers(model, images)[..., -1]
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def test_tfmot_rounds_a_depthwise_kernel_as_a_whole(uneven) -> None:
    model = quantize_model(uneven)
    sizes = [weight.shape[0] for weight in model.weights if "depthwise_kernel_max" in weight.name]
    assert sizes == [1]


def test_depthwise_channels_have_their_own_scale(uneven) -> None:
    wrapped = wrap(canonicalize(uneven), Quantization(), WeightConstraints())
    calibrate(wrapped, [training_images()[:64]])
    kernel = next(kernel for kernel in int8_file(wrapped).kernels if kernel.operator == "DEPTHWISE_CONV_2D")
    assert len(np.unique(kernel.scales)) == 4
    for layer in wrapped.layers:
        # What is left is the error of the kernel alone.
        if hasattr(layer, "_output_quantizers"):
            layer._output_quantizers = []
    assert _error(wrapped, uneven) < 0.05


@pytest.mark.parametrize(
    ("shape", "axes"), [((5, 4), (1,)), ((3, 3, 2, 4), (3,)), ((3, 3, 4, 2), (2, 3)), ((3, 6), ())]
)
def test_kernels_are_rounded_to_127_steps_per_channel(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    kernel = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    shared = tuple(axis for axis in range(len(shape)) if axis not in axes)
    scale = np.abs(kernel).max(axis=shared, keepdims=True) / 127
    rounded = KernelQuantizer(*axes)(tf.constant(kernel), False, {}).numpy()
    np.testing.assert_allclose(rounded, np.round(kernel / scale) * scale, rtol=1e-5)
    # Rounded once more, as the converter does, also after a factor per channel: nothing changes.
    factors = np.full_like(scale, -0.37) * np.arange(1, scale.size + 1).reshape(scale.shape)
    again = KernelQuantizer(*axes)(tf.constant(rounded * factors), False, {}).numpy()
    np.testing.assert_allclose(again, rounded * factors, rtol=1e-5)


def test_a_channel_of_zeros_stays_zero_and_the_gradient_passes() -> None:
    kernel = tf.Variable([[0.0, 0.3], [0.0, -0.7]])
    with tf.GradientTape() as tape:
        rounded = KernelQuantizer(1)(kernel, True, {})
    np.testing.assert_array_equal(rounded[:, 0], [0.0, 0.0])
    np.testing.assert_array_equal(tape.gradient(rounded, kernel), np.ones((2, 2)))


def test_constants_have_256_values_with_zero_among_them_and_are_rounded_once() -> None:
    values = np.random.default_rng(0).uniform(-0.26, 0.46, (40, 30)).astype(np.float32)
    rounded = ConstantQuantizer().rounded(tf.constant(values)).numpy()
    scale = (values.max() - values.min()) / 255
    assert np.abs(rounded - values).max() <= scale * 0.51
    steps = rounded / scale
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    np.testing.assert_allclose(ConstantQuantizer().rounded(tf.constant(rounded)).numpy(), rounded, atol=1e-6)
    assert not ConstantQuantizer().rounded(tf.zeros((3, 2))).numpy().any()
    np.testing.assert_allclose(
        ConstantQuantizer().rounded(tf.constant([[0.5, 0.25]])).numpy(), [[0.5, 0.25]], atol=2e-3
    )


@pytest.mark.parametrize("kind", [ActivationQuantizer, DivisorQuantizer, InputQuantizer])
def test_every_range_that_training_learns_follows_the_batch_of_all_replicas(kind: type[Observing]) -> None:
    low, high = tf.Variable(-1.0), tf.Variable(1.0)
    kind().follow({"min_var": low, "max_var": high}, tf.constant(-3.0), tf.constant(2.0))
    assert (float(low) < -1, float(high) > 1) == (True, True)
