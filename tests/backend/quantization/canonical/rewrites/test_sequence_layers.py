"""Layers for sequences, computed as those for images."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.quantization.canonical import Canonical, canonicalize

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Its outputs are the same there and back."""
    series = layers.Input((12, 4), name="series")
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2, name="causal")(series)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    skip = layers.Conv1D(6, 3, strides=2, groups=2, padding="same", activation="swish", name="grouped")(x)
    x = layers.SeparableConv1D(6, 3, padding="causal", depth_multiplier=2, name="separable")(skip)
    x = layers.BatchNormalization(name="separable_norm")(x)
    x = layers.DepthwiseConv1D(3, padding="same", name="depthwise")(x)
    x = layers.Dropout(0.1, name="dropout")(layers.Add(name="sum")([x, skip]))
    x = layers.UpSampling1D(2, name="up")(layers.MaxPooling1D(2, name="pool")(x))
    x = layers.Conv1DTranspose(5, 3, strides=2, padding="same", name="transpose")(x)
    x = layers.Dense(7, activation="relu", name="dense")(layers.BatchNormalization(name="transpose_norm")(x))
    x = layers.Cropping1D((1, 2), name="crop")(layers.ZeroPadding1D(3, name="pad")(x))
    x = layers.AveragePooling1D(2, name="average")(x)
    x = layers.Concatenate(name="both")([layers.GlobalAveragePooling1D(name="mean")(x), layers.GlobalMaxPooling1D()(x)])
    return there_and_back(tf_keras.Model(series, layers.Dense(3, activation="softmax", name="logits")(x)))


def test_there_and_back(canonical) -> None:
    used = {type(layer).__name__ for layer in canonical.model.layers}
    assert not {name for name in used if "1D" in name}
    # One way in, one way out (none: global pooling drops the axis), no detours between.
    assert sum(name in ("InsertAxes", "RemoveAxes") for name in (type(x).__name__ for x in canonical.model.layers)) == 1


def test_the_file_is_integer_without_calibration_data(canonical) -> None:
    file = quantized_file(canonical)
    assert file.float_operators == []
    assert {kernel.dtype for kernel in file.kernels} == {"int8"}
    assert max(kernel.scales.size for kernel in file.kernels) > 1


def test_what_the_plan_says(canonical) -> None:
    found = treatments(canonical)
    assert found["causal"] == "simulated, rewritten: Conv1D computed as Conv2D, dilated convolution as one operator"
    assert (found["norm"], found["relu"], found["separable_norm"]) == (
        "fused with causal",
        "fused with causal",
        "fused with separable",
    )
    assert found["transpose_norm"] == "simulated, rewritten: folded into the kernel before it"
    assert found["pool"] == "simulated, rewritten: computed by the layer for images"
    assert found["sum"] == found["dropout"] == "simulated"


@pytest.mark.parametrize("shape", [(8, 5, 4), (None, 4)])
def test_dense_on_images_and_on_sequences_of_any_length(shape) -> None:
    given = layers.Input(shape)
    canonical = there_and_back(tf_keras.Model(given, layers.Dense(3, use_bias=False, name="dense")(given)))
    assert type(canonical.model.get_layer("dense")) is layers.Conv2D


def test_a_masked_mean_is_none_over_an_image() -> None:
    words = layers.Input((6,), dtype="int32")
    x = layers.Embedding(10, 4, mask_zero=True)(words)
    model = tf_keras.Model(words, layers.GlobalAveragePooling1D(name="mean")(layers.Dense(3, name="dense")(x)))
    (mean,) = (rewritten for rewritten in canonicalize(model).rewrites if rewritten.layer == "mean")
    assert mean.titles == ("mean over the steps that its mask keeps",)


def test_a_constraint_that_means_an_axis_keeps_the_layer() -> None:
    series = layers.Input((12, 4))
    conv = layers.Conv1D(6, 3, kernel_constraint=tf_keras.constraints.MaxNorm(1, axis=0))
    assert canonicalize(tf_keras.Model(series, conv(series))).rewrites == ()
