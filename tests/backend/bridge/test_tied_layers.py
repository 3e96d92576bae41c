"""A layer that is called in several ways, inside and outside of a nested model, stays one layer with one variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.support.networks import causal_transformer
from tests.support.networks.keras3_layers import Mix
from tfopt.backend.bridge import restore_keras3, to_keras, to_tf_keras
from tfopt.backend.models.store import load_model, save_model
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


@keras.saving.register_keras_serializable(package="tests")
class TokensAndPositions(layers.Layer):
    """Two tables inside one layer, as KerasHub's TokenAndPositionEmbedding."""

    def __init__(self, scaled: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scaled = scaled
        self.token_embedding = layers.ReversibleEmbedding(9, 6, name="token_embedding")
        self.position_embedding = layers.Embedding(5, 6, name="position_embedding")

    def build(self, shape: Any) -> None:
        self.token_embedding.build(shape)
        self.position_embedding.build(shape)
        self.scale = self.add_weight(name="scale") if self.scaled else 1.0

    def call(self, inputs: Any) -> Any:
        positions = keras.ops.cumsum(keras.ops.ones_like(inputs), axis=1) - 1
        return self.token_embedding(inputs) * self.scale + self.position_embedding(positions)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scaled": self.scaled}


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


def test_a_layer_inside_an_own_layer_may_be_called_by_itself(tmp_path: Path) -> None:
    embedded = TokensAndPositions(name="embeddings")
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    inner = keras.Model(tokens, layers.Dense(6, name="mixed")(embedded(tokens)), name="backbone")
    start = keras.Input((5,), dtype="int32", name="start")
    origin = keras.Model(start, embedded.token_embedding(inner(start), reverse=True))
    inputs = np.random.default_rng(0).integers(0, 9, (3, 5)).astype(np.int32)
    converted = to_tf_keras(origin)
    np.testing.assert_allclose(converted(inputs).numpy(), origin(inputs).numpy(), atol=1e-6)
    assert [tuple(weight.shape) for weight in converted.weights].count((9, 6)) == 1
    save_model(converted, tmp_path)
    again = load_model(tmp_path)
    again.set_weights([2 * weight for weight in again.get_weights()])
    np.testing.assert_allclose(restore_keras3(origin, again)(inputs).numpy(), again(inputs).numpy(), atol=1e-5)


def test_an_own_layer_with_weights_around_a_shared_one_is_refused() -> None:
    embedded = TokensAndPositions(scaled=True, name="embeddings")
    start = keras.Input((5,), dtype="int32", name="start")
    origin = keras.Model(start, embedded.token_embedding(embedded(start), reverse=True))
    with pytest.raises(StageError, match=r"'embeddings'.*shares a layer.*uses embeddings/scale itself"):
        to_tf_keras(origin)
