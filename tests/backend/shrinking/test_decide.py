"""Which widths a stage chooses within its budget."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.shrinking.allocate import equal_shares
from tfopt.backend.shrinking.choices import choices_of
from tfopt.backend.shrinking.costs import NetworkCosts
from tfopt.backend.shrinking.decide import Ranking, widths_within
from tfopt.backend.shrinking.networks import Pricing
from tfopt.stages.shrink import Shrink

pytestmark = pytest.mark.tf


def widths(**keys: object) -> tuple[int, int]:
    """Of a group whose scores are all small, and what equal shares would leave of it."""
    inputs = layers.Input((8,))
    x = layers.Dense(32, name="small")(inputs)
    model = tf_keras.Model(inputs, layers.Dense(2)(layers.Dense(32, name="large")(x)))
    stage = Shrink.model_validate({"to": {"macs": "40%"}, "epochs": 1, "divisor": 4, **keys})
    choices = choices_of(model, stage)
    scores = {"small": np.full(32, 1e-6), "large": np.ones(32)}
    prices = Pricing("macs", NetworkCosts(model, choices.groups))
    limit = 0.4 * prices.of(choices.full)
    found = widths_within(stage, choices, Ranking(scores, scores), prices, limit)
    assert prices.of(found) <= limit
    return found["small"], equal_shares(choices.choices, prices.of, limit)["small"]


def test_scores_alone_do_not_take_most_of_a_group_unless_the_recipe_lets_them():
    found, equal = widths()
    assert 2 / 3 * equal <= found < equal
    for keys in ({"floor": "0%"}, {"layers": [{"match": "small", "floor": "0%"}]}):
        found, equal = widths(**keys)
        assert found < 2 / 3 * equal
