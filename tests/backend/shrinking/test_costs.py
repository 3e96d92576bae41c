"""Costs at some widths are those of the network that is built."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.models.zoo import gru_lm
from tfopt.backend.shrinking.choices import choices_of
from tfopt.backend.shrinking.costs import NetworkCosts
from tfopt.backend.shrinking.graph import cost, remove
from tfopt.backend.shrinking.networks import at_share, first_units
from tfopt.stages.shrink import Shrink

pytestmark = pytest.mark.tf


def attention() -> tf_keras.Model:
    inputs = layers.Input((6, 4))
    query, value, key = (layers.Dense(8, name=name)(inputs) for name in ("query", "value", "key"))
    return tf_keras.Model(inputs, layers.Dense(2)(layers.Attention(name="attention")([query, value, key])))


@pytest.mark.parametrize(
    ("build", "layer"),
    [(attention, "attention"), (lambda: gru_lm.build((5,), 40, width=16, units=16, tie_weights=True), "logits")],
)
def test_products_of_two_tensors_shrink_with_the_units_in_them(build, layer):
    model = build()
    choices = choices_of(model, Shrink.model_validate({"to": {"macs": "50%"}, "epochs": 1, "divisor": 2}))
    costs = NetworkCosts(model, choices.groups)
    whole = costs.macs_by_layer({})[layer]
    for share in (0.25, 0.5):
        widths = at_share(choices.choices, share)
        built = cost(remove(model, first_units(choices.choices, widths)))
        assert (costs.macs(widths), costs.parameters(widths)) == pytest.approx((built.macs, built.parameters))
        assert 0 < costs.macs_by_layer(widths)[layer] < whole


def test_a_branch_with_a_nested_model_costs_nothing_when_it_is_left_out():
    inside = layers.Input((8,))
    nested = tf_keras.Model(inside, layers.Dense(8, name="deep")(inside), name="nested")
    inputs = layers.Input((4,))
    stem = layers.Dense(8, name="stem")(inputs)
    model = tf_keras.Model(inputs, layers.Dense(2)(layers.Add(name="sum")([stem, nested(stem)])))
    keys = {"to": {"macs": "90%"}, "epochs": 1, "remove": ["block"], "allocation": "sensitivity"}
    choices = choices_of(model, Shrink.model_validate(keys))
    assert [(one.name, one.group.branch) for one in choices.choices] == [("sum", ("nested/deep",))]
    costs = NetworkCosts(model, choices.groups)
    built = cost(remove(model, {"sum": ()}))
    assert (costs.macs({"sum": 0}), costs.parameters({"sum": 0})) == (built.macs, built.parameters)
