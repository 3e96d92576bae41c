"""A layer that is called in several ways, inside and outside of a nested model, stays one layer with one variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.networks import causal_transformer
from tests.support.networks.keras3_layers import Mix
from tfopt.backend.bridge import restore_keras3, to_keras, to_tf_keras
from tfopt.backend.models.store import load_model, save_model

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def origin() -> keras.Model:
    keras.utils.set_random_seed(1)
    return causal_transformer.build()


@pytest.fixture(scope="module")
def tied(origin: keras.Model) -> Any:
    return to_tf_keras(origin)


def tables(model: Any) -> list[Any]:
    """Variables of the shape of the embedding, once each."""
    shape = (causal_transformer.VOCABULARY, causal_transformer.WIDTH)
    return list({id(weight): weight for weight in model.weights if tuple(weight.shape) == shape}.values())


def test_the_bridged_model_has_one_table_and_the_same_outputs(origin: keras.Model, tied: Any) -> None:
    inputs, _ = causal_transformer.sequences(4)
    assert len(tables(tied)) == 1
    np.testing.assert_allclose(tied(inputs).numpy(), origin(inputs).numpy(), atol=1e-5)


def test_a_step_of_training_and_the_store_keep_it_one(origin: keras.Model, tied: Any, tmp_path: Path) -> None:
    inputs, targets = causal_transformer.sequences(64)
    save_model(tied, tmp_path)
    again = load_model(tmp_path)
    (table,) = tables(again)
    before = table.numpy()
    again.compile("adam", "sparse_categorical_crossentropy")
    again.fit(inputs, targets, epochs=1, verbose=0)
    assert np.abs(table.numpy() - before).max() > 0
    restored = restore_keras3(origin, again)
    np.testing.assert_allclose(restored(inputs).numpy(), again(inputs).numpy(), atol=1e-4)
    assert len(tables(restored)) == 1


def test_a_new_keras_3_model_of_it_is_tied_too(tied: Any) -> None:
    inputs, _ = causal_transformer.sequences(4)
    made = to_keras(tied)
    assert len(tables(made)) == 1
    np.testing.assert_allclose(made(inputs).numpy(), tied(inputs).numpy(), atol=1e-5)


def test_a_layer_may_be_called_with_different_constants(tmp_path: Path) -> None:
    start, mix = keras.Input((4,)), Mix(name="mix")
    model = keras.Model(start, mix(mix(start, other=start, share=0.1), other=start, share=0.2))
    inputs = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    converted = to_tf_keras(model)
    np.testing.assert_allclose(converted(inputs).numpy(), model(inputs).numpy(), atol=1e-6)
    save_model(converted, tmp_path)
    np.testing.assert_allclose(load_model(tmp_path)(inputs).numpy(), model(inputs).numpy(), atol=1e-6)
