"""SavedModels from everywhere: of TensorFlow 2.0 to 2.4, and without Keras layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf import saved_model_pb2
from tf_keras import layers
from tf_keras.protobuf import saved_metadata_pb2

from tests.support.models import answers
from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.backend.models.files import load_file
from tfopt.errors import StageError

pytestmark = pytest.mark.tf
VALUES = np.random.RandomState(0).rand(3, 4).astype(np.float32)


class Affine(tf.Module):
    """A model without Keras, with two signatures."""

    def __init__(self) -> None:
        self.kernel = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3), name="kernel")

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="features")])
    def serve(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": tf.nn.softmax(features @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((1, 4), name="features")])
    def one(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": features @ self.kernel}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
    def parse(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"length": tf.strings.length(examples)}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> tuple[Affine, Path]:
    folder, made = tmp_path_factory.mktemp("module"), Affine()
    tf.saved_model.save(made, folder / "one", signatures=made.serve)
    tf.saved_model.save(made, folder / "several", signatures={"first": made.one, "second": made.serve})
    tf.saved_model.save(made, folder / "words", signatures={"serving_default": made.parse, "numbers": made.serve})
    return made, folder


def as_tensorflow_2_0_wrote_it(path: Path) -> None:
    """Moves what Keras says about the model from a file of its own into the objects of the graph."""
    nodes = saved_metadata_pb2.SavedMetadata.FromString((path / "keras_metadata.pb").read_bytes()).nodes
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for node in nodes:
        model.meta_graphs[0].object_graph_def.nodes[node.node_id].user_object.metadata = node.metadata
    (path / "saved_model.pb").write_bytes(model.SerializeToString())
    (path / "keras_metadata.pb").unlink()


def test_the_keras_model_of_an_early_tensorflow_2(tmp_path: Path) -> None:
    model = tf_keras.Sequential(
        [tf_keras.Input((4,), name="features"), layers.Dense(5, "relu", name="hidden"), layers.Dense(2, name="head")]
    )
    model.save(tmp_path / "old", save_format="tf")
    as_tensorflow_2_0_wrote_it(tmp_path / "old")
    expected = tf_keras.models.load_model(tmp_path / "old", compile=False)(VALUES)
    loaded = load_file(tmp_path / "old")
    np.testing.assert_allclose(loaded(VALUES), expected, atol=1e-6)
    assert [one.name for one in loaded.layers] == ["hidden", "head"]
    audit = inspect(tmp_path / "old")
    assert (audit.operators, audit.computes_in) == ({"Dense": 2, "InputLayer": 1}, ["float32"])


def test_a_module_of_tensorflow_runs_with_its_own_names(module: tuple[Affine, Path]) -> None:
    made, folder = module
    model = load_file(folder / "one")
    assert (model.input_names, model.output_names) == (["features"], ["scores"])
    np.testing.assert_allclose(answers(model, VALUES), made.serve(VALUES)["scores"], atol=1e-6)
    assert model.count_params() == 12
    assert "holds bare TensorFlow operations" in str(reason_without_layers(model))
    again = tf_keras.Model.from_config(
        model.get_config(), custom_objects={"SavedModelLayer": type(model.get_layer("saved_model"))}
    )
    np.testing.assert_allclose(again(VALUES), model(VALUES))
    audit = inspect(folder / "one")
    assert (audit.operators, audit.computes_in) == ({"MatMul": 1, "Softmax": 1}, [])
    assert [(port.name, port.shape) for port in audit.inputs] == [("features", [-1, 4])]


def test_one_of_several_signatures_is_chosen_by_the_recipe(module: tuple[Affine, Path]) -> None:
    made, folder = module
    with pytest.raises(StageError, match=r"several signatures \(first, second\).*args: \{signature: first\}"):
        load_file(folder / "several")
    with pytest.raises(StageError, match=r"no signature 'third'\. It has: first, second"):
        load_file(folder / "several", signature="third")
    for name, expected in (("second", made.serve(VALUES)["scores"]), ("first", VALUES @ made.kernel.numpy())):
        np.testing.assert_allclose(load_file(folder / "several", signature=name)(VALUES), expected, atol=1e-5)


def test_a_signature_that_takes_words_names_one_that_takes_numbers(module: tuple[Affine, Path]) -> None:
    with pytest.raises(StageError, match=r"takes 'examples' of type string.*args: \{signature: numbers\}"):
        load_file(module[1] / "words")


def test_what_keras_exports_and_what_it_cannot_rebuild(tmp_path: Path) -> None:
    class Own(tf_keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.head = layers.Dense(3)

        def call(self, inputs: Any) -> Any:
            return self.head(inputs)

    own = Own()
    own(np.zeros((1, 4), np.float32))
    own.save(tmp_path / "own", save_format="tf")
    np.testing.assert_allclose(load_file(tmp_path / "own")(VALUES), own(VALUES), atol=1e-6)
    three = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    three.export(tmp_path / "three", verbose=False)
    np.testing.assert_allclose(load_file(tmp_path / "three")(VALUES), three(VALUES), atol=1e-6)


def test_the_graph_of_a_keras_model_is_another_way_where_its_layers_cannot_be_built(tmp_path: Path) -> None:
    class Doubled(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return 2 * inputs

    features = tf_keras.Input((4,), name="features")
    model = tf_keras.Model(features, Doubled(name="doubled")(features))
    model.save(tmp_path / "own", save_format="tf")
    with pytest.raises(StageError, match=r"uses 'Doubled'.*Or convert its graph as it is.*signature: serving_default"):
        load_file(tmp_path / "own")
    np.testing.assert_allclose(load_file(tmp_path / "own", signature="serving_default")(VALUES), 2 * VALUES)


def test_a_graph_of_tensorflow_1(tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = tf.compat.v1.placeholder(tf.float32, (None, 4), name="features")
        kernel = tf.compat.v1.get_variable("kernel", initializer=np.ones((4, 2), np.float32), use_resource=False)
        scores = tf.nn.relu(features @ kernel)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(tmp_path / "v1"), {"x": features}, {"y": scores})
    model = load_file(tmp_path / "v1")
    np.testing.assert_allclose(model(VALUES), np.repeat(VALUES.sum(1, keepdims=True), 2, 1), atol=1e-6)
    assert (model.input_names, model.output_names) == (["x"], ["y"])


def test_operations_that_reach_beyond_tensors_need_permission(tmp_path: Path) -> None:
    class Writer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
        def serve(self, x: tf.Tensor) -> tf.Tensor:
            tf.io.write_file(str(tmp_path / "it ran"), "x")
            return x + 1.0

    made = Writer()
    tf.saved_model.save(made, tmp_path / "writer", signatures=made.serve)
    with pytest.raises(StageError, match=r"do more than compute on tensors: WriteFile\..*allow_unsafe") as raised:
        load_file(tmp_path / "writer")
    assert raised.value.code == "unsafe_model"
    assert not (tmp_path / "it ran").exists()
    np.testing.assert_allclose(load_file(tmp_path / "writer", allow_unsafe=True)(VALUES), VALUES + 1)


@pytest.mark.parametrize("library", [tf_keras, keras])
def test_weights_alone_and_tflite_files_are_told_as_that(library: Any, tmp_path: Path) -> None:
    library.Sequential([library.Input((4,)), library.layers.Dense(2)]).save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(StageError, match=r"holds no model, only weights\..*model\.load_weights"):
        load_file(tmp_path / "model.weights.h5")
    audit = inspect(tmp_path / "model.weights.h5")
    assert (audit.operators, len(audit.tensors)) == ({}, 2)
    (tmp_path / "model.tflite").write_bytes(b"    TFL3")
    with pytest.raises(StageError, match=r"is a \.tflite file: the end product.*tfopt inspect"):
        load_file(tmp_path / "model.tflite")


def test_parts_of_models_are_told_as_that(tmp_path: Path) -> None:
    model = tf_keras.Sequential([tf_keras.Input((4,)), layers.Dense(2)])
    model.save_weights(tmp_path / "checkpoints" / "model")
    (tmp_path / "frozen.pb").write_bytes(b"")
    with pytest.raises(StageError, match="holds no model, only weights"):
        load_file(tmp_path / "checkpoints")
    with pytest.raises(StageError, match="is a graph of TensorFlow 1 or a part of a SavedModel"):
        load_file(tmp_path / "frozen.pb")
    model.save(tmp_path / "whole", save_format="tf")
    np.testing.assert_allclose(load_file(tmp_path / "whole" / "saved_model.pb")(VALUES), model(VALUES), atol=1e-6)


def test_a_zip_archive_with_weights_only(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(StageError, match="holds no model, only weights"):
        load_file(tmp_path / "model.keras")
