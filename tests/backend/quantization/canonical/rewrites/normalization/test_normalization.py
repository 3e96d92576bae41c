"""Normalization over the last axis, step by step."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.layers import RMSNormalization

pytestmark = pytest.mark.tf


def test_it_is_simulated_and_restored_and_its_file_is_integer() -> None:
    given = layers.Input((6, 8), name="given")
    x = layers.LayerNormalization(name="both")(layers.Dense(8, "gelu", name="kernel")(given))
    x = layers.LayerNormalization(center=False, name="scaled")(x)
    x = layers.Flatten(name="flat")(RMSNormalization(name="root")(x))
    model = tf_keras.Model(given, layers.Dense(2, name="head")(x))
    canonical = there_and_back(model)
    assert {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")} == {}
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert file.operators.count("RSQRT") == 3
