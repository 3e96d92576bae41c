from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.networks.shrinkable import gated_unit, gates, grouped
from tfopt.backend.shrinking.graph import groups_of, rounded

pytestmark = pytest.mark.tf


def test_units_that_go_together_are_one_group() -> None:
    inputs = layers.Input((8, 8, 3))
    stem = layers.Conv2D(16, 3, padding="same", name="stem")(inputs)
    y = layers.BatchNormalization(name="norm")(layers.Conv2D(16, 1, name="branch")(stem))
    x = layers.Concatenate(name="join")([layers.Add(name="sum")([stem, y]), stem])
    x = layers.Flatten()(layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x))
    groups = groups_of(tf_keras.Model(inputs, layers.Dense(2, name="logits")(x)))
    stem_group = groups["stem"]
    assert (stem_group.kind, stem_group.units, stem_group.channels) == ("channels", 16, 1)
    assert [member.layer for member in stem_group.of_role("produces")] == ["stem", "stem", "branch", "branch"]
    dense = next(member for member in stem_group.members if member.layer == "logits")
    # A unit is there twice in the concatenation, has two channels in the depthwise layer, and 36 places.
    assert {len(positions) for positions in dense.positions} == {2 * 2 * 36}
    assert [(group.name, group.kind, group.branch) for group in groups.of_kind("block")] == [
        ("sum", "block", ("branch", "norm"))
    ]
    assert [(group.name, group.fixed) for group in groups.fixed] == [
        ("logits", "it reaches the model's output 'logits'")
    ]


def test_what_cannot_be_changed_has_a_reason() -> None:
    fixed = {group.name: str(group.fixed) for group in groups_of(gates()).fixed}
    assert "one value of it for many units" in fixed["place"]
    inputs = layers.Input((4,))
    x = layers.Dense(8, name="read_by_frozen")(inputs)
    x = layers.Dense(8, trainable=False, name="frozen")(x)
    x = layers.Dense(8, activation=tf_keras.activations.softmax, name="mixed")(x)
    x = layers.UnitNormalization(name="unit")(layers.Dense(8, name="normalized")(x))
    fixed = {group.name: str(group.fixed) for group in groups_of(tf_keras.Model(inputs, layers.Dense(2)(x))).fixed}
    assert fixed["read_by_frozen"] == fixed["frozen"] == "the layer 'frozen' is frozen"
    assert "softmax" in fixed["mixed"]
    assert "'unit' normalizes" in fixed["normalized"]


def test_channels_of_a_unit() -> None:
    assert {(group.units, group.channels) for group in groups_of(grouped()).groups} == {(4, 8), (12, 3)}
    assert groups_of(gated_unit())["both"].channels == 2


@pytest.mark.parametrize(
    ("count", "channels", "units", "found"),
    [(10.4, 1, 32, 8), (12.1, 1, 32, 16), (1, 1, 32, 8), (3, 1, 6, 6), (3.2, 4, 8, 4), (2.6, 8, 4, 3)],
)
def test_widths_that_kernels_like(count: float, channels: int, units: int, found: int) -> None:
    assert rounded(count, channels, units, 8) == found
