from __future__ import annotations

from collections.abc import Callable

import pytest
import tf_keras

from tests.support.models import branchy_model
from tests.support.networks.shrinkable import SHRINKABLE
from tests.support.shrinking import assert_removal_is_exact
from tfopt.backend.shrinking.graph import cost, groups_of, remove

pytestmark = pytest.mark.tf


def test_a_branchy_network_is_smaller_under_the_same_names() -> None:
    model = branchy_model()
    smaller = assert_removal_is_exact(model)
    left_out = {"depthwise", "depthwise_relu", "sum"}
    assert {layer.name for layer in model.layers} - {layer.name for layer in smaller.layers} <= left_out
    assert smaller.get_layer("nested").get_layer("inner").filters == 4
    assert (smaller.input_shape, smaller.output_shape) == (model.input_shape, model.output_shape)
    assert cost(smaller).macs < 0.6 * cost(model).macs
    assert cost(smaller).parameters < 0.6 * cost(model).parameters


@pytest.mark.parametrize("build", SHRINKABLE, ids=lambda build: build.__name__)
def test_removing_units_is_masking_them(build: Callable[[], tf_keras.Model]) -> None:
    model = build()
    smaller = assert_removal_is_exact(model, branches=False)
    assert cost(smaller).parameters < 0.75 * cost(model).parameters


def test_what_is_kept_is_checked() -> None:
    inputs = tf_keras.Input((4,))
    hidden = tf_keras.layers.Dense(8, name="hidden")(inputs)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2, name="logits")(hidden))
    assert [group.name for group in groups_of(model).groups] == ["hidden"]
    for kept in ({"logits": (0,)}, {"nothing": (0,)}, {"hidden": ()}):
        with pytest.raises(ValueError, match=r"No group|At least one"):
            remove(model, kept)
