"""Files as earlier versions of Keras wrote them: written here in their notation, loaded as people find them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.tflite_files.hostile_files import Config, layer, rewrite
from tfopt.backend.models.files import load_file
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def write_h5(model: tf_keras.Model, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)


def entry(kind: str, **config: Any) -> Config:
    return {"class_name": kind, "config": {"trainable": True, **config}}


def old_initializer(kind: str = "VarianceScaling") -> Config:
    settings = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None, "dtype": "float32"}
    return {"class_name": kind, "config": settings if kind == "VarianceScaling" else {"dtype": "float32"}}


def as_written(path: Path, config: Any, version: str, training: bool = True) -> None:
    """Gives an `.h5` the configuration, version and compile settings of another Keras."""
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        for group in (file, file["model_weights"]):
            group.attrs["keras_version"] = version.encode()
        if training:
            optimizer = {"class_name": "SGD", "config": {"lr": 0.1, "decay": 1e-6, "momentum": 0.9, "nesterov": True}}
            file.attrs["training_config"] = json.dumps(
                {"optimizer_config": optimizer, "loss": "my_own_loss", "metrics": ["acc"], "sample_weight_mode": None}
            ).encode()


def image_net() -> tf_keras.Model:
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1)),
            layers.Conv2D(4, 3, name="conv2d_1"),
            layers.BatchNormalization(name="batch_normalization_1"),
            layers.Activation("relu", name="activation_1"),
            layers.DepthwiseConv2D(3, name="depthwise_conv2d_1"),
            layers.Flatten(name="flatten_1"),
            layers.Dense(3, activation="softmax", name="dense_1"),
        ],
        name="sequential_1",
    )


def old_image_layers() -> list[Config]:
    zeros, ones = old_initializer("Zeros"), old_initializer("Ones")
    kernel = {"kernel_initializer": old_initializer(), "bias_initializer": zeros, "use_bias": True}
    nothing = {"kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None}
    constraint = {"class_name": "MaxNorm", "config": {"max_value": 3, "axis": [0, 1, 2]}}
    conv = {"strides": [1, 1], "padding": "valid", "data_format": "channels_last", "dilation_rate": [1, 1]}
    return [
        entry("Conv2D", name="conv2d_1", batch_input_shape=[None, 8, 8, 1], dtype="float32", filters=4,
              kernel_size=[3, 3], activation="linear", **conv, **kernel, **nothing, kernel_constraint=constraint,
              bias_constraint=None),
        entry("BatchNormalizationV1", name="batch_normalization_1", axis=[3], momentum=0.99, epsilon=0.001, center=True,
              scale=True, beta_initializer=zeros, gamma_initializer=ones, moving_mean_initializer=zeros,
              moving_variance_initializer=ones, beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
              gamma_constraint=None),
        entry("Activation", name="activation_1", activation="relu"),
        entry("DepthwiseConv2D", name="depthwise_conv2d_1", kernel_size=[3, 3], depth_multiplier=1, groups=1,
              activation="linear", **conv, use_bias=True, bias_initializer=zeros,
              depthwise_initializer=old_initializer(), depthwise_regularizer=None, depthwise_constraint=None,
              bias_regularizer=None, bias_constraint=None, activity_regularizer=None),
        entry("Flatten", name="flatten_1", data_format="channels_last"),
        entry("Dense", name="dense_1", units=3, activation="softmax", **kernel, **nothing,
              kernel_constraint={"class_name": "NonNeg", "config": {}}, bias_constraint=None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "form"),
    [("2.0.6", "list"), ("2.1.6-tf", "list"), ("2.2.4", "dict"), ("2.2.4-tf", "dict"), ("2.4.0", "dict")],
)
def test_an_image_model_of_the_tensorflow_1_era(tmp_path: Path, version: str, form: str) -> None:
    model = image_net()
    write_h5(model, tmp_path / "old.h5")
    entries = old_image_layers()
    config: Any = entries if form == "list" else {"name": "sequential_1", "layers": entries}
    as_written(tmp_path / "old.h5", {"class_name": "Sequential", "config": config}, version)
    loaded = load_file(tmp_path / "old.h5")
    images = np.random.RandomState(0).rand(3, 8, 8, 1)
    np.testing.assert_allclose(loaded(images), model(images), atol=1e-6)
    assert [one.name for one in loaded.layers] == [one.name for one in model.layers]
    assert loaded.get_layer("conv2d_1").kernel_constraint.max_value == 3
    assert loaded.optimizer is None


def test_nested_sequential_models_of_keras_2_0_are_lists(tmp_path: Path) -> None:
    dense = {"activation": "relu", "use_bias": True}
    inner = tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(5, activation="relu", name="dense_1")])
    model = tf_keras.Sequential([layers.InputLayer((4,)), inner, layers.Dense(3, activation="relu", name="dense_2")])
    write_h5(model, tmp_path / "nested.h5")
    nested = entry("Dense", name="dense_1", units=5, batch_input_shape=[None, 4], dtype="float32", **dense)
    config = [{"class_name": "Sequential", "config": [nested]}, entry("Dense", name="dense_2", units=3, **dense)]
    as_written(tmp_path / "nested.h5", {"class_name": "Sequential", "config": config}, "2.0.8")
    values = np.random.RandomState(0).rand(3, 4)
    np.testing.assert_allclose(load_file(tmp_path / "nested.h5")(values), model(values), atol=1e-6)


def test_slashes_and_repeated_names_in_nested_models(tmp_path: Path) -> None:
    inner = tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(5, name="conv1/dw")], name="sequential")
    model = tf_keras.Sequential([layers.InputLayer((4,)), inner, layers.Dense(3, name="conv1/dw")], name="sequential")
    values = np.random.RandomState(0).rand(3, 4)
    for name in ("slash.h5", "slash.keras"):
        write_h5(model, tmp_path / name)
        loaded = load_file(tmp_path / name)
        np.testing.assert_allclose(loaded(values), model(values), atol=1e-6)
        assert [one.name for one in loaded.layers] == ["sequential", "conv1/dw"]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gpu_only_recurrent_layers_become_those_that_run_everywhere(tmp_path: Path, kind: str) -> None:
    options = {"reset_after": True} if kind == "GRU" else {}
    model = tf_keras.Sequential(
        [layers.InputLayer((6, 3)), getattr(layers, kind)(4, name="cell", **options), layers.Dense(2, name="head")]
    )
    for weight in model.weights:
        weight.assign(np.random.RandomState(1).rand(*weight.shape))
    write_h5(model, tmp_path / "gpu.h5")

    def change(config: Config) -> None:
        config["config"]["layers"] = config["config"]["layers"][1:]
        layer(config, "cell").update(
            entry(f"CuDNN{kind}", name="cell", units=4, return_sequences=False, return_state=False, go_backwards=False,
                  stateful=False, batch_input_shape=[None, 6, 3], dtype="float32",
                  kernel_initializer=old_initializer(), bias_initializer=old_initializer("Zeros"))
        )  # fmt: skip
        for key in ("module", "registered_name", "build_config"):
            layer(config, "cell").pop(key, None)

    rewrite(tmp_path / "gpu.h5", change)
    # Their layout: the matrix of each gate transposed, and two biases.
    with h5py.File(tmp_path / "gpu.h5", "r+") as file:
        cell = file[f"model_weights/cell/cell/{kind.lower()}_cell"]
        gates = 4 if kind == "LSTM" else 3
        kernel = np.split(np.asarray(cell["kernel:0"]), gates, axis=1)
        cell["kernel:0"][...] = np.hstack([np.reshape(part.T, part.shape) for part in kernel])
        recurrent = np.split(np.asarray(cell["recurrent_kernel:0"]), gates, axis=1)
        cell["recurrent_kernel:0"][...] = np.hstack([part.T for part in recurrent])
        bias = np.asarray(cell["bias:0"])
        del cell["bias:0"]
        cell["bias:0"] = np.tile(0.5 * bias, 2) if kind == "LSTM" else bias.ravel()
    loaded = load_file(tmp_path / "gpu.h5")
    assert type(loaded.get_layer("cell")).__name__ == kind
    assert loaded.get_layer("cell").recurrent_activation.__name__ == "sigmoid"
    values = np.random.RandomState(0).rand(3, 6, 3)
    np.testing.assert_allclose(loaded(values), model(values), atol=1e-5)


def test_keras_1_is_refused_with_the_way_out(tmp_path: Path) -> None:
    write_h5(image_net(), tmp_path / "older.h5")
    config = [entry("Dense", name="dense_1", output_dim=3, init="glorot_uniform", batch_input_shape=[None, 4])]
    as_written(tmp_path / "older.h5", {"class_name": "Sequential", "config": config}, "1.2.2")
    with pytest.raises(
        StageError, match=r"older\.h5 was written by Keras 1\.2\.2.*Load and save it once with Keras 2\.0"
    ):
        load_file(tmp_path / "older.h5")


def test_wrappers_of_tfmot_left_in_a_file_are_named(tmp_path: Path) -> None:
    write_h5(image_net(), tmp_path / "wrapped.h5")
    wrapper = {"class_name": "PruneLowMagnitude", "module": None}
    rewrite(tmp_path / "wrapped.h5", lambda config: layer(config, "dense_1").update(wrapper))
    with pytest.raises(StageError, match=r"still around its layers \(PruneLowMagnitude\)\. Strip them"):
        load_file(tmp_path / "wrapped.h5")


def test_a_saved_model_that_cannot_be_rebuilt_says_why(tmp_path: Path) -> None:
    words = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4)
    text = tf_keras.Sequential([tf_keras.Input((1,), dtype="string"), words, layers.Embedding(5, 3)])
    text.save(tmp_path / "words", save_format="tf")
    with pytest.raises(StageError, match=r"keeps a vocabulary.*Save the model as \.keras"):
        load_file(tmp_path / "words")
