"""Layers of a user's own class: opened, so that every stage sees what is inside; under their own names."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras

from tests.support.networks import own_layers
from tfopt.backend import quantization
from tfopt.backend.bridge import custom_code as restored_code
from tfopt.backend.bridge import readable, restore_keras3, to_keras, to_tf_keras
from tfopt.backend.clustering.plan import layer_sharing
from tfopt.backend.export.keras_files.keras_archive import finish
from tfopt.backend.graph.layer_records import layer_records
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.layer_support import layers as rows
from tfopt.backend.models.build import closed_layers
from tfopt.backend.models.store import custom_code, load_model, save_model
from tfopt.backend.pruning.plan import skip_reasons
from tfopt.core.config.clustering import Clustering, ClusterRule
from tfopt.core.config.pruning import PruneRule, Pruning
from tfopt.core.config.quantization import Quantization
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

INPUTS = np.random.RandomState(0).uniform(-1, 1, (5, 4, 4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def source() -> keras.Model:
    keras.utils.set_random_seed(0)
    return own_layers.everything()


@pytest.fixture(scope="module")
def model(source: keras.Model) -> tf_keras.Model:
    return to_tf_keras(source)


def test_what_is_inside_is_seen_under_the_name_of_the_layer_around_it(model: tf_keras.Model) -> None:
    types = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
    assert types["block.dense"] == types["excite.less"] == types["tower.blocks.1.dense"] == "Dense"
    assert types["tower.blocks.0.norm"] == "BatchNormalization"
    assert types["excite.getitem"] == "Reshape"
    assert types["excite.multiply"] == "Multiply"
    assert types["own_norm.normalization"] == "LayerNormalization"
    assert types["doubling"] == "Doubling"
    assert types["conv"] == "Conv2D"
    assert types["head"] == "Dense"
    assert layer_type(model.get_layer("tower")) == "Tower"
    assert model.get_layer("own_norm").layers[-1].epsilon == 1e-6
    (sentence,) = closed_layers(model)
    assert sentence.startswith("doubling (Doubling) is one layer")
    assert "does something else in training" in sentence


def test_weights_go_to_the_store_and_back_into_the_users_model(
    source: keras.Model, model: tf_keras.Model, tmp_path: Path
) -> None:
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    for weight in loaded.weights:
        weight.assign(np.random.RandomState(1).uniform(0.1, 0.9, weight.shape))
    restored = restore_keras3(source, loaded)
    np.testing.assert_allclose(restored(INPUTS), loaded(INPUTS), rtol=1e-4, atol=1e-5)
    again = to_keras(loaded)
    assert type(again.get_layer("tower")) is own_layers.Tower
    clone = tf_keras.models.clone_model(loaded)
    clone.set_weights(loaded.get_weights())
    np.testing.assert_allclose(clone(INPUTS), loaded(INPUTS), rtol=1e-5)
    assert "tests.support.networks.own_layers:Tower" in custom_code(loaded)


def test_rules_by_the_users_class_mean_all_that_is_inside(model: tf_keras.Model) -> None:
    pruning = Pruning(schedule={"kind": "constant", "final": "50%"}, layers=(PruneRule(type="Block", skip=True),))
    reasons = skip_reasons(model, pruning)
    assert reasons["block.dense"] == reasons["tower.blocks.0.dense"] == "a rule says skip"
    assert reasons["excite.less"] is reasons["head"] is None
    wish = Pruning(
        schedule={"kind": "constant", "final": "50%"},
        layers=(PruneRule(match="tower", schedule={"kind": "constant", "final": "80%"}),),
    )
    assert skip_reasons(model, wish)["tower.blocks.1.dense"] is None
    shared = layer_sharing(model, Clustering(clusters=4, layers=(ClusterRule(type="SqueezeExcite", clusters=8),)))
    assert shared["excite.less"].clusters == 8
    assert shared["block.dense"].clusters == 4


def test_it_is_simulated_and_counted_like_any_other_layer(model: tf_keras.Model) -> None:
    treatments = quantization.layer_treatments(model, Quantization())
    for name in ("block.dense", "tower.blocks.1.dense", "excite.less", "excite.multiply", "conv"):
        assert treatments[name].startswith("simulated"), (name, treatments[name])
    assert treatments["doubling"] == "after training"
    assert "SQUARE" in quantization.float_layers(model)["head"]
    counts = {row.name: row.macs for row in rows(model)}
    assert counts["head"] == 24
    assert counts["block.dense"] == 64
    assert counts["conv"] == 4 * 9 * 3 * 8
    shown = {row.name: row.shown_type for row in rows(model)}
    assert shown["tower.blocks.0.dense"] == "Dense in Block"
    assert shown["own_norm.normalization"] == "LayerNormalization in OwnNorm"
    assert shown["conv"] == "Conv2D"
    assert {record.name: record.own_type for record in layer_records(model)}["excite.less"] == "SqueezeExcite"


@pytest.mark.filterwarnings("ignore:.build..` was called")
def test_a_layer_whose_constructor_takes_no_name_keeps_it_through_store_and_back(tmp_path: Path) -> None:
    """Keras trains such layers, but cannot read them from a file, or gives them new names."""
    keras.utils.set_random_seed(0)
    source = own_layers.nameless()
    own = {layer.name: type(layer) for layer in source.layers if type(layer).__module__ == own_layers.__name__}
    assert len(own) == 4
    (tmp_path / "store").mkdir()
    save_model(to_tf_keras(source), tmp_path / "store")
    loaded = load_model(tmp_path / "store")
    given = INPUTS[:, 0, 0]
    np.testing.assert_allclose(loaded(given), source(given), atol=1e-6)
    for weight in loaded.weights:
        weight.assign(np.random.RandomState(1).uniform(0.1, 0.9, weight.shape))
    for restored in (restore_keras3(source, loaded), to_keras(loaded)):
        np.testing.assert_allclose(restored(given), loaded(given), rtol=1e-5)
        assert own.items() <= {layer.name: type(layer) for layer in restored.layers}.items()
    path = tmp_path / "model.keras"
    restored.save(path)
    with pytest.raises(TypeError, match="unexpected keyword"):
        keras.models.load_model(path)
    finish(path, {}, partial(readable, objects=restored_code(restored)))
    np.testing.assert_allclose(keras.models.load_model(path)(given), loaded(given), rtol=1e-5)


class FixedUnits(keras.layers.Dense):
    """Keras hands its constructor an argument that it does not take."""

    def __init__(self) -> None:
        super().__init__(2)


def test_a_layer_that_cannot_be_made_again_is_refused_with_what_to_change() -> None:
    start = keras.Input((3,))
    with pytest.raises(StageError, match=r"unexpected keyword.*take \*\*kwargs"):
        to_tf_keras(keras.Model(start, FixedUnits()(start)))


def test_a_subclass_of_a_layer_of_keras_is_pruned_and_simulated_as_that_layer(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    source = own_layers.subclasses()
    model = to_tf_keras(source)
    types = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
    assert types["named.conv2d"] == "Conv2D"
    assert types["gated.dense"] == "Dense"
    assert types["standard"] == "StandardConv"
    assert layer_type(model.get_layer("named")) == "NamedConv"
    treatments = quantization.layer_treatments(model, Quantization())
    assert {treatments[name].split(",")[0] for name in ("named.conv2d", "gated.dense", "head")} == {"simulated"}
    pruning = Pruning(schedule={"kind": "constant", "final": "50%"}, layers=(PruneRule(type="NamedConv", skip=True),))
    reasons = skip_reasons(model, pruning)
    assert reasons["named.conv2d"] == "a rule says skip"
    assert reasons["gated.dense"] is None
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    for weight in loaded.weights:
        weight.assign(np.random.RandomState(1).uniform(0.1, 0.9, weight.shape))
    for other in (restore_keras3(source, loaded), to_keras(loaded)):
        assert type(other.get_layer("named")) is own_layers.NamedConv
        np.testing.assert_allclose(other(INPUTS), loaded(INPUTS), rtol=1e-4, atol=1e-5)
