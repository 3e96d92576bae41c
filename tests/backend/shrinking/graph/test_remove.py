from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf
import tf_keras

from tests.support.models import branchy_model
from tests.support.networks.shrinkable import SHRINKABLE, of_keras3
from tests.support.shrinking import assert_removal_is_exact, some_kept, spread
from tfopt.backend.bridge import to_keras
from tfopt.backend.equivalence import Tolerance, outputs, random_inputs, same_outputs
from tfopt.backend.shrinking.costs import NetworkCosts
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
    kept = some_kept(groups := groups_of(model), branches=False)
    planned, built = NetworkCosts(model, groups), cost(smaller)
    widths = {name: len(units) for name, units in kept.items()}
    assert (planned.macs(widths), planned.parameters(widths)) == pytest.approx((built.macs, built.parameters))


def test_what_keras_3_gave_goes_back_to_keras_3_when_it_is_smaller() -> None:
    smaller = assert_removal_is_exact(of_keras3(), branches=False)
    inputs = random_inputs(smaller)
    assert same_outputs(outputs(smaller, inputs), outputs(to_keras(smaller), inputs), Tolerance(1e-5)) is None


def test_both_directions_keep_the_same_size_as_keras_3_needs() -> None:
    inputs = tf_keras.Input((5, 4))
    x = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(8), name="both")(inputs)
    model = spread(tf_keras.Model(inputs, tf_keras.layers.Dense(3)(x)))
    (group,) = groups_of(model).groups
    assert group.units == 8
    smaller = remove(model, {group.name: (1, 4, 6)})
    assert smaller.get_layer("both").output_shape == (None, 6)
    examples = random_inputs(smaller)
    assert same_outputs(outputs(smaller, examples), outputs(to_keras(smaller), examples), Tolerance(1e-5)) is None


def test_what_is_taken_as_it_is_is_named() -> None:
    inputs = tf_keras.Input((3, 8, 8, 2))
    x = tf_keras.layers.ConvLSTM2D(4, 3, name="taken")(inputs)
    x = tf_keras.layers.Dense(8, name="hidden")(tf_keras.layers.GlobalAveragePooling2D()(x))
    found = groups_of(tf_keras.Model(inputs, tf_keras.layers.Dense(2, name="logits")(x)))
    assert [group.name for group in found.groups] == ["hidden"]
    assert {group.name: group.fixed for group in found.fixed}["taken"] == (
        "'taken' is a layer (ConvLSTM2D) that is taken as it is"
    )


def test_a_sum_of_a_model_that_was_read_again() -> None:
    inputs = tf_keras.Input((6,))
    stem = tf_keras.layers.Dense(16, name="stem")(inputs)
    outputs = tf_keras.layers.Dense(2)(stem + tf_keras.layers.Dense(16)(stem))
    model = tf_keras.Model(inputs, outputs)
    assert_removal_is_exact(tf_keras.Model.from_config(model.get_config()))


@pytest.mark.parametrize(
    "operator",
    [
        tf.sort,
        lambda h: tf.roll(h, 3, -1),
        lambda h: h * tf.sqrt(tf.cast(tf.shape(h)[-1], tf.float32)),
    ],
)
def test_an_operator_that_mixes_units_fixes_them(operator: Callable[[tf.Tensor], tf.Tensor]) -> None:
    inputs = tf_keras.Input((6,))
    hidden = tf_keras.layers.Dense(16, name="hidden")(inputs)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2)(operator(hidden)))
    assert [group.name for group in groups_of(model).groups] == []


def test_a_normalization_in_a_wrapper_fixes_what_it_normalizes() -> None:
    inputs = tf_keras.Input((5, 6))
    hidden = tf_keras.layers.Dense(16, name="hidden")(inputs)
    normalized = tf_keras.layers.TimeDistributed(tf_keras.layers.LayerNormalization())(hidden)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2)(normalized))
    assert [group.name for group in groups_of(model).groups] == []


def test_something_of_each_producer_stays() -> None:
    inputs = tf_keras.Input((6,))
    one, other, both = (tf_keras.layers.Dense(units, name=f"of{units}")(inputs) for units in (4, 12, 16))
    x = tf_keras.layers.Add()([tf_keras.layers.Concatenate()([one, other]), both])
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2)(x))
    assert [(group.name, group.units) for group in groups_of(model).groups] == [("of4", 4), ("of12", 12)]


def test_what_is_kept_is_checked() -> None:
    inputs = tf_keras.Input((4,))
    hidden = tf_keras.layers.Dense(8, name="hidden")(inputs)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2, name="logits")(hidden))
    assert [group.name for group in groups_of(model).groups] == ["hidden"]
    for kept in ({"logits": (0,)}, {"nothing": (0,)}, {"hidden": ()}, {"hidden": (8,)}, {"hidden": (-1,)}):
        with pytest.raises(ValueError, match=r"those that can: hidden\.|At least one|are 0 to 7"):
            remove(model, kept)
