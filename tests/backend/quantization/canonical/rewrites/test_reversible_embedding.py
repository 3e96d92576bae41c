"""An embedding that is the output layer, too, is simulated with one table."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.canonical.table_layers import Table

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Its outputs are the same there and back."""
    keras.utils.set_random_seed(2)
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    table = layers.ReversibleEmbedding(7, 6, name="table")
    hidden = layers.Dense(6, activation="relu", name="hidden")(table(tokens))
    return there_and_back(to_tf_keras(keras.Model(tokens, table(hidden, reverse=True), name="tied")))


def test_the_same_outputs_there_and_back_with_one_table(canonical: Canonical) -> None:
    assert len([layer for layer in canonical.model.layers if isinstance(layer, Table)]) == 1
    assert treatments(canonical)["table"].startswith("simulated")


def test_the_file_holds_the_table_in_integers(canonical: Canonical) -> None:
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert "GATHER" in file.operators
