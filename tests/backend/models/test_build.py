"""Where models come from, what is refused, and whether they fit the data."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.models import answers
from tests.support.networks.layers import Scale, Small, twice
from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models import build as models
from tfopt.core.config.data import DataConfig
from tfopt.core.config.training.compile import Compile
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def examples(shape: tuple[int, ...] = (4,), classes: int = 3) -> Data:
    inputs = np.random.RandomState(0).rand(12, *shape).astype(np.float32)
    split = Split(inputs, np.arange(12, dtype=np.int32) % classes)
    return Data(split, split, split, source="examples", num_classes=classes)


def dense(*, inputs: int = 4, outputs: int = 3, activation: str = "softmax") -> tf_keras.Model:
    return tf_keras.Sequential(
        [layers.InputLayer((inputs,)), layers.Dense(5, activation="relu"), layers.Dense(outputs, activation=activation)]
    )


def built(
    source: str, folder: Path = Path(), seed: int = 0, data: Data | None = None, **args: object
) -> tf_keras.Model:
    return models.build(ModelConfig(source=source, args=args), data or examples(), seed, folder).model


def module(folder: Path, name: str, code: str) -> None:
    head = "import tf_keras\nfrom tf_keras import layers\n"
    (folder / f"{name}.py").write_text(head + textwrap.dedent(code), encoding="utf-8")


# Sources


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(StageError, match=r"There is no model 'small_cn'\. Did you mean 'small_cnn'"):
        built("small_cn")
    with pytest.raises(StageError, match=r"keras\.applications has no 'MobilenetV2'\. Did you mean 'MobileNetV2'"):
        built("keras.applications.MobilenetV2")
    with pytest.raises(StageError, match=r"keras\.applications has no 'imagenet_utils'"):
        built("keras.applications.imagenet_utils")
    with pytest.raises(StageError, match=r"small_cnn has no argument 'filter'\. Did you mean 'filters'"):
        built("small_cnn", filter=3)


def test_applications_take_shape_and_classes_from_the_data() -> None:
    data = examples((32, 32, 3), classes=4)
    model = built("keras.applications.MobileNet", data=data, alpha=0.25)
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 4)
    assert models.check_fits(model, data, Compile()) == []
    with pytest.raises(StageError, match=r"expects images .*but the examples have \(8,\)"):
        built("keras.applications.MobileNet", data=examples((8,)))
    with pytest.raises(StageError, match=r"keras\.applications\.MobileNet failed: ValueError"):
        built("keras.applications.MobileNet", data=examples((32, 32, 3)), alpha=0.3, weights="imagenet")


def test_functions_get_the_shapes_they_ask_for(tmp_path: Path) -> None:
    module(
        tmp_path,
        "user_models",
        """
        def asking(input_shape, num_outputs, units=2):
            return tf_keras.Sequential([layers.InputLayer(input_shape), layers.Dense(units), layers.Dense(num_outputs)])

        def fixed():
            return tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(3)])

        def failing():
            return 1 / 0
        """,
    )
    assert built("user_models:asking", tmp_path, units=7).layers[0].units == 7
    assert built("user_models:asking", tmp_path, num_outputs=9).output_shape == (None, 9)
    assert built("user_models:fixed", tmp_path).count_params() == 15
    with pytest.raises(StageError, match="user_models:failing failed: ZeroDivisionError"):
        built("user_models:failing", tmp_path)
    with pytest.raises(StageError, match=r"has no function 'fixd'\. Did you mean 'fixed'"):
        built("user_models:fixd", tmp_path)


def test_weights_and_names_follow_the_seed_not_the_session(tmp_path: Path) -> None:
    module(
        tmp_path,
        "session_models",
        "def make():\n    return tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(5), layers.Dense(3)])\n",
    )
    first = built("session_models:make", tmp_path, seed=5)
    dense()
    tf.random.normal([3])
    again = built("session_models:make", tmp_path, seed=5)
    other = built("session_models:make", tmp_path, seed=6)
    assert [layer.name for layer in again.layers] == ["dense", "dense_1"]
    assert models.model_fingerprint(first) == models.model_fingerprint(again) != models.model_fingerprint(other)


def test_fingerprint_follows_weights_and_architecture() -> None:
    model = dense()
    before = models.model_fingerprint(model)
    assert models.model_fingerprint(tf_keras.models.clone_model(model)) != before
    kernel = model.layers[0].kernel
    kernel.assign(tf.tensor_scatter_nd_add(kernel, [[0, 0]], [1e-3]))
    changed = models.model_fingerprint(model)
    assert changed != before
    model.layers[0].activation = tf_keras.activations.tanh
    assert models.model_fingerprint(model) != changed


def test_build_alone_needs_no_data() -> None:
    assert models.build_alone("small_cnn", (8, 8, 1), 6).output_shape == (None, 6)


# What is refused


def test_models_without_a_graph_are_refused() -> None:
    class Own(tf_keras.Model):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return inputs

    with pytest.raises(StageError, match=r"subclassed model 'Own'.*functional model"):
        models.check_model(Own(), "x:make")
    with pytest.raises(StageError, match=r"has no input shape yet.*InputLayer"):
        models.check_model(tf_keras.Sequential([layers.Dense(3)]), "x:make")
    with pytest.raises(StageError, match="returned a int, not a model"):
        models.check_model(5, "x:make")
    nested = tf_keras.Model(x := layers.Input((4,)), Own(name="inner")(x))
    with pytest.raises(StageError, match=r"subclassed model 'Own'.*functional model"):
        models.check_model(nested, "x:make")


# Files


def save(model: tf_keras.Model, path: Path) -> None:
    with pytest.warns(UserWarning, match="HDF5") if path.suffix == ".h5" else tf_keras.utils.custom_object_scope({}):
        model.save(path, **({} if path.suffix else {"save_format": "tf"}))


@pytest.mark.parametrize("name", ["kept.keras", "kept.h5", "kept"])
def test_files_of_keras_2_are_loaded(tmp_path: Path, name: str) -> None:
    model = dense()
    save(model, tmp_path / name)
    loaded = built(f"./{name}", tmp_path)
    inputs = examples().train.inputs
    assert np.array_equal(answers(model, inputs), answers(loaded, inputs))
    with pytest.raises(StageError, match=r"model\.args \['units'\] have no meaning for the file"):
        built(f"./{name}", tmp_path, units=3)


@pytest.mark.parametrize("name", ["trick.keras", "trick.h5", "trick"])
def test_bytecode_in_a_file_is_refused_and_not_run(tmp_path: Path, name: str) -> None:
    witness = tmp_path / "it ran"
    code = f"lambda x: (open({str(witness)!r}, 'w').close(), x)[1]"
    model = tf_keras.Sequential([layers.InputLayer((4,)), layers.Lambda(eval(code), name="trick"), layers.Dense(3)])
    save(model, tmp_path / name)
    witness.unlink()
    with pytest.raises(StageError, match="holds Python bytecode in a Lambda layer 'trick': loading it would run it"):
        built(f"./{name}", tmp_path)
    assert not witness.exists()


def test_code_of_other_modules_in_a_file_is_refused(tmp_path: Path) -> None:
    tf_keras.Sequential([layers.InputLayer((4,)), Scale(3)]).save(tmp_path / "own.keras")
    with pytest.raises(StageError, match=r"names code of a different module: tests\.support\.networks\.layers\.Scale"):
        built("own.keras", tmp_path)


def test_files_that_are_no_models(tmp_path: Path) -> None:
    import h5py

    model = dense()
    save(model, tmp_path / "whole.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "whole.keras").read_bytes()[:700])
    (tmp_path / "small.tflite").write_bytes(b"TFL3")
    (tmp_path / "empty").mkdir()
    with h5py.File(tmp_path / "weights.h5", "w"):
        pass
    tf.saved_model.save(tf.Module(), str(tmp_path / "serving"))
    for source, match in [
        ("none.keras", r"There is no model file .*none\.keras"),
        ("cut.keras", "broken or cut off"),
        ("small.tflite", "is a .tflite file: the end product"),
        ("empty", "is not a SavedModel"),
        ("weights.h5", "only weights"),
        ("serving", "has no signature to convert"),
    ]:
        with pytest.raises(StageError, match=match):
            built(f"./{source}", tmp_path)


# The store


def test_custom_layers_nested_models_and_functions_survive_the_store(tmp_path: Path) -> None:
    inner = tf_keras.Sequential(
        [layers.InputLayer((5,)), layers.Dense(4, activation=twice), layers.BatchNormalization()]
    )
    shared = layers.Dense(5, name="shared", kernel_regularizer=Small())
    inputs = layers.Input((5,))
    x = layers.Add()([shared(inputs), shared(tf.nn.relu(inputs))])
    model = tf_keras.Model(inputs, layers.Softmax()(Scale(3, name="scale")(inner(x))))
    model.get_layer("shared").trainable = False
    for weight in model.weights:
        weight.assign(tf.random.stateless_uniform(weight.shape, [1, 2]))
    models.save_model(model, tmp_path)
    again = models.load_model(tmp_path)
    values = np.random.RandomState(1).rand(6, 5)
    assert np.array_equal(model(values, training=False), again(values, training=False))
    assert [float(loss) for loss in again.losses] == [float(loss) for loss in model.losses] != []
    assert [w.shape for w in model.trainable_weights] == [w.shape for w in again.trainable_weights]


def test_code_that_cannot_be_found_again_is_refused(tmp_path: Path) -> None:
    class Local(layers.Layer):
        pass

    model = tf_keras.Sequential([layers.InputLayer((4,)), Local(name="mine")])
    with pytest.raises(
        StageError, match=r"layer 'mine' uses .*Local, which is out of reach.*top of an importable module"
    ):
        models.save_model(model, tmp_path)


# Records


def test_layer_records_count_zeros_of_kernels_only() -> None:
    inner = tf_keras.Sequential(
        [layers.InputLayer((6,)), layers.Dense(4, name="inside"), layers.BatchNormalization(name="norm")]
    )
    inputs = layers.Input((8,), dtype="int32")
    x = layers.Embedding(10, 6, name="words")(inputs)
    x = layers.Bidirectional(layers.LSTM(3, name="cell"), name="both")(x)
    model = tf_keras.Model(inputs, Scale(2, name="scale")(inner(x)))
    kernel = model.get_layer(inner.name).get_layer("inside").kernel
    kernel.assign(tf.where(tf.reshape(tf.range(24), (6, 4)) < 18, 0.0, 2.0))
    records = {record.name: record for record in models.layer_records(model, {"norm": "nothing to prune"})}
    assert list(records) == ["words", "both", "inside", "norm", "scale"]
    assert (records["inside"].sparsity, records["inside"].unique, records["inside"].type) == (0.75, 2, "Dense")
    assert (records["norm"].parameters, records["norm"].unique) == (16, 0)
    assert records["norm"].skipped == "nothing to prune"
    assert records["words"].unique == 60
    assert records["scale"].unique == 8
    # Four kernels (6 and 3 rows of 12, both ways); the biases with their zeros are not among them.
    assert 200 < records["both"].unique <= 216
    assert records["both"].sparsity == 0


# TrainingLoop


def test_the_default_model_learns_digits() -> None:
    from tfopt.backend.data.batches import evaluation_batches, training_batches

    data = load(DataConfig(source="digits"))
    model = built("small_cnn", data=data)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(training_batches(data, 64, 15, seed=0), epochs=15, steps_per_epoch=20, verbose=0)
    assert model.evaluate(evaluation_batches(data.test, 256), verbose=0)[1] > 0.95
