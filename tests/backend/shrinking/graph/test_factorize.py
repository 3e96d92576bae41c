from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.shrinking import spread
from tfopt.backend.equivalence import Tolerance, outputs, random_inputs, same_outputs
from tfopt.backend.shrinking.graph import cost, masked, rank_groups, remove, singular_values

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def model() -> tf_keras.Model:
    inputs = layers.Input((9, 9, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="wide")(inputs)
    x = layers.Conv2D(24, 3, strides=2, padding="same", activation="relu", name="strided")(x)
    x = layers.Conv2D(24, 1, name="point")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return spread(tf_keras.Model(inputs, layers.Dense(8, name="logits")(x)))


KEPT = {
    "wide": tuple(range(0, 16, 2)),
    "wide:spatial_rank": range(3),
    "strided:rank": range(5),
    "point:rank": range(4),
    "logits:rank": range(2),
}


def test_factorized_kernels_compute_the_nearest_kernels(model: tf_keras.Model) -> None:
    smaller = remove(model, KEPT)
    inputs = random_inputs(model)
    expected, found = outputs(masked(model, KEPT), inputs), outputs(smaller, inputs)
    assert same_outputs(expected, found, Tolerance(1e-5, least_scale=1)) is None
    assert smaller.get_layer("wide_reduce").kernel_size == (3, 1)
    assert smaller.get_layer("wide").kernel_size == (1, 3)
    assert smaller.get_layer("strided_reduce").strides == (2, 2)
    assert cost(smaller).parameters < 0.4 * cost(model).parameters


def test_a_unit_is_a_singular_value(model: tf_keras.Model) -> None:
    groups = {group.name: group for group in rank_groups(model)}
    assert list(groups) == [
        "wide:rank",
        "wide:spatial_rank",
        "strided:rank",
        "strided:spatial_rank",
        "point:rank",
        "logits:rank",
    ]
    assert groups["strided:rank"].sizes == (144, 24)
    assert groups["strided:spatial_rank"].sizes == (48, 72)
    assert all(group.units == min(group.sizes) for group in groups.values())
    values = singular_values(model, groups["strided:rank"])
    assert len(values) == 24
    assert np.all(np.diff(values) <= 0)


def test_one_form_for_a_kernel(model: tf_keras.Model) -> None:
    with pytest.raises(ValueError, match="one form only"):
        remove(model, {"strided:rank": range(2), "strided:spatial_rank": range(2)})
    with pytest.raises(ValueError, match="cannot be factorized"):
        remove(model, {"nothing:rank": range(2)})
