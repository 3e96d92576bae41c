"""Weights between which channels are scaled: the model computes the same, and its channels are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.models import answers
from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention
from tfopt.backend.calibration.rewrites.channel_ranges import largest_in_channels
from tfopt.backend.calibration.rewrites.equalization import equalization_chains
from tfopt.backend.calibration.rewrites.smoothing import smoothing_chains
from tfopt.backend.calibration.rewrites.weight_changes import searches, weight_changes
from tfopt.core.config.files.calibration import Calibration

pytestmark = pytest.mark.tf

EQUALIZED, SMOOTH = Calibration(equalize=True), Calibration(smooth=0.5)


def _depthwise() -> tf_keras.Model:
    """Every kind of layer that may be in a chain."""
    x = inputs = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, use_bias=False, name="stem")(x)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu", name="depth")(x)
    x = layers.Dropout(0.1, name="drop")(layers.BatchNormalization(center=False, name="depth_bn")(x))
    x = layers.LeakyReLU(name="leaky")(layers.Conv2D(4, 1, name="point")(x))
    x = layers.Flatten(name="flat")(layers.MaxPooling2D(name="pool")(x))
    x = layers.Dense(8, activation="relu", name="hidden")(x)
    return tf_keras.Model(inputs, layers.Dense(3, activation="softmax", name="digit")(x), name="depthwise")


def _sequence() -> tf_keras.Model:
    x = inputs = layers.Input((10, 4), name="signal")
    x = layers.Conv1D(6, 3, activation="relu", name="first")(x)
    x = layers.DepthwiseConv1D(3, activation="relu", name="each")(x)
    x = layers.Conv1D(5, 1, name="second")(layers.UpSampling1D(name="twice")(x))
    return tf_keras.Model(inputs, layers.Dense(2, name="out")(layers.GlobalAveragePooling1D(name="mean")(x)))


def _transformer(attention: type[layers.Layer] = layers.MultiHeadAttention) -> tf_keras.Model:
    x = inputs = layers.Input((5, 8), name="tokens")
    y = layers.LayerNormalization(name="norm1")(x)
    x = layers.Add(name="add1")([x, attention(2, 4, name="heads")(y, y)])
    y = layers.Dropout(0.1, name="drop")(layers.LayerNormalization(name="norm2")(x))
    y = layers.Dense(8, name="down")(layers.Dense(12, activation="gelu", name="up")(y))
    x = layers.LayerNormalization(name="norm3")(layers.Add(name="add2")([x, y]))
    return tf_keras.Model(inputs, layers.GlobalAveragePooling1D(name="mean")(x), name="transformer")


def _nested() -> tf_keras.Model:
    x = inputs = layers.Input((8, 8, 3), name="outer")
    x = _depthwise()(layers.Conv2D(3, 3, padding="same", activation="relu", name="before")(x))
    return tf_keras.Model(inputs, layers.Dense(2, name="after")(x))


MODELS: dict[str, tuple[Callable[[], tf_keras.Model], Calibration, tuple[str, ...]]] = {
    "depthwise": (
        _depthwise,
        EQUALIZED,
        ("stem -> depth", "depth -> point", "point -> hidden", "hidden -> digit"),
    ),
    "sequence": (_sequence, EQUALIZED, ("first -> each", "each -> second", "second -> out")),
    "transformer": (_transformer, SMOOTH, ("norm1 -> heads", "norm2 -> up")),
    "keras 3": (lambda: _transformer(ZeroingMultiHeadAttention), SMOOTH, ("norm1 -> heads", "norm2 -> up")),
    "nested": (_nested, EQUALIZED, ("stem -> depth", "depth -> point", "point -> hidden", "hidden -> digit")),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_stay_and_the_channels_become_alike(name: str) -> None:
    build, calibration, chains = MODELS[name]
    tf_keras.utils.set_random_seed(1)
    model, random = build(), np.random.default_rng(0)
    for variable in model.weights:
        values = random.uniform(0.2, 1, variable.shape) * random.choice([-1, 1], variable.shape)
        variable.assign(np.abs(values) * 4 ** random.normal(0, 1, variable.shape[-1:]) if "/gamma" in variable.name
                        or "variance" in variable.name else 0.3 * values)  # fmt: skip
    inputs = random.normal(0, 1, (40, *model.input_shape[1:])).astype(np.float32)
    expected, before = answers(model, inputs), model.get_weights()
    changes = weight_changes(model, calibration, inputs)
    assert changes.names == chains
    found = [chain for search in searches(model, smooth=calibration == SMOOTH) for chain in search.chains]
    uneven = [_spread(sizes) for sizes in largest_in_channels(model, found, inputs)]
    with changes.applied():
        assert np.abs(answers(model, inputs) - expected).max() <= 1e-5 * np.abs(expected).max()
        even = [_spread(sizes) for sizes in largest_in_channels(model, found, inputs)]
    assert all(after < 0.9 * spread for after, spread in zip(even[:2], uneven[:2], strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))


def _spread(sizes: np.ndarray) -> float:
    """How much channels differ: standard deviation of the logarithm of their sizes, without those that are 0."""
    return float(np.log(sizes[sizes > 0]).std())


def test_what_is_in_no_chain_has_a_reason() -> None:
    x = inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="swish", name="swish")(x)
    x = layers.ReLU(6, name="six")(layers.Conv2D(4, 3, name="capped")(x))
    y = layers.Conv2D(4, 1, name="branch")(x)
    x = layers.Conv2D(4, 1, groups=2, name="groups")(
        layers.Conv2D(4, 1, name="grouped")(layers.Add(name="sum")([x, y]))
    )
    found = equalization_chains(tf_keras.Model(inputs, x))
    assert found.chains == ()
    assert found.reasons == (
        "swish: its activation swish does not scale",
        "capped: six (ReLU) does not scale",
        "branch: sum (Add) does not scale",
        "grouped: groups reads the channels in groups, or not as the last axis",
        "groups: its result has several readers or is an output",
    )


def test_a_normalization_that_is_read_by_others_is_left_alone() -> None:
    x = inputs = layers.Input((5, 8))
    y = layers.LayerNormalization(name="after")(x)
    z = layers.LayerNormalization(scale=False, name="plain")(layers.Add(name="sum")([y, layers.Dense(8, name="up")(y)]))
    memory = layers.Dense(8, name="memory")(z)
    query = layers.LayerNormalization(name="query")(z)
    found = smoothing_chains(tf_keras.Model(inputs, layers.MultiHeadAttention(2, 4, name="cross")(query, memory)))
    assert found.chains == ()
    assert found.reasons == (
        "after: sum (Add) reads it too; only Dense and MultiHeadAttention have kernels to scale",
        "plain: it has no scale for each channel of the last axis",
        "query: cross, which reads it, reads something else too",
    )


def test_a_kernel_of_two_layers_is_not_scaled() -> None:
    inputs = layers.Input((4,))
    first, second = layers.Dense(4, activation="relu", name="first"), layers.Dense(4, name="second")
    model = tf_keras.Model(inputs, second(first(inputs)))
    second.kernel = first.kernel
    second._trainable_weights = [first.kernel, second.bias]
    assert equalization_chains(model).chains == ()
