"""The operators that `doctor` expects, against those that the converter writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Conversion happens in this process, to be quick: TensorFlow announces the end of its interpreter there.
pytestmark = [pytest.mark.tf, pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")]

BORDERS = {"QUANTIZE", "DEQUANTIZE"}


def in_the_file(model: Any, folder: Path) -> Counter[str]:
    """Operators of the int8 file, converted as the export does it."""
    import numpy as np

    from tfopt.backend.audit.tflite import audit_tflite
    from tfopt.backend.export import saved_model
    from tfopt.backend.export.convert import convert_one
    from tfopt.core.config.tflite_variant import Variant

    ports = saved_model.signature_of(model)
    saved_model.write_saved_model(model, ports, folder / "model", 1 if saved_model.needs_fixed_batch(model) else None)
    calibration = {}
    for name, tensor in zip(ports.inputs, model.inputs, strict=True):
        random = np.random.default_rng(0).uniform(0, 3, (4, *tensor.shape[1:]))
        np.save(folder / f"{name}.npy", random.astype(tensor.dtype.as_numpy_dtype))
        calibration[name] = str(folder / f"{name}.npy")
    content = convert_one(str(folder / "model"), Variant(quantize="int8", calibration=4), calibration)
    (folder / "model.tflite").write_bytes(content)
    return Counter(audit_tflite(folder / "model.tflite").operators)


def expected(model: Any) -> Counter[str]:
    from tfopt.backend.layer_support import layers
    from tfopt.core.records.layer_support import totals

    found = totals(layers(model))
    assert found.unknown_operators == ()
    return Counter(found.operators)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mlp", (28, 28, 1)),
        ("autoencoder", (64,)),
        ("ds_cnn", (49, 10, 1)),
        ("mnist_cnn", (28, 28, 1)),
        ("resnet8", (32, 32, 3)),
        ("small_cnn", (8, 8, 1)),
    ],
)
def test_models_of_the_zoo(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    from tfopt.backend.models.build import build_alone

    model = build_alone(name, shape, 64 if name == "autoencoder" else 4)
    written = Counter({name: n for name, n in in_the_file(model, tmp_path).items() if name not in BORDERS})
    assert expected(model) == written


def _sequence_model() -> Any:
    import tf_keras
    from tf_keras import layers

    words = tf_keras.Input((12,), dtype="int32")
    states = layers.Embedding(20, 8)(words)
    states = layers.Conv1D(8, 3, padding="causal", activation="relu")(states)
    states = layers.MaxPooling1D()(states)
    states = layers.SeparableConv1D(8, 3, activation="swish")(states)
    return tf_keras.Model(words, layers.Dense(3, activation="sigmoid")(layers.GlobalMaxPooling1D()(states)))


def _recurrent_model() -> Any:
    import tf_keras
    from tf_keras import layers

    return tf_keras.Sequential(
        [
            tf_keras.Input((6, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.LSTM(3),
            layers.Dense(2, activation="tanh"),
        ]
    )


def _image_model() -> Any:
    import tf_keras
    from tf_keras import layers

    image = tf_keras.Input((8, 8, 2))
    left = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, dilation_rate=2, padding="same")(image))
    right = layers.LeakyReLU()(layers.Conv2DTranspose(4, 3, padding="same")(image))
    gate = layers.Activation("hard_sigmoid")(layers.Rescaling(0.5, -1.0)(right))
    joined = layers.Multiply()([layers.Maximum()([left, right]), gate])
    joined = layers.UpSampling2D(interpolation="bilinear")(layers.Cropping2D()(joined))
    return tf_keras.Model(image, layers.Softmax()(layers.Flatten()(layers.Permute((3, 1, 2))(joined))))


def _attention_model() -> Any:
    import tf_keras
    from tf_keras import layers

    states = tf_keras.Input((6, 8))
    seen = layers.MultiHeadAttention(2, 4)(states, states)
    out = layers.Dense(3)(layers.LayerNormalization()(layers.Add()([states, seen])))
    return tf_keras.Model(states, layers.Reshape((3, 6))(out))


@pytest.mark.parametrize("build", [_sequence_model, _recurrent_model, _image_model, _attention_model])
def test_the_kinds_of_operators_of_other_layers(build: Callable[[], Any], tmp_path: Path) -> None:
    model = build()
    assert set(expected(model)) == set(in_the_file(model, tmp_path)) - BORDERS


def test_a_layer_of_no_known_type_is_said_to_be_unknown() -> None:
    import tf_keras

    from tfopt.backend.layer_support import layers

    class Own(tf_keras.layers.Layer):
        pass

    (row,) = layers(tf_keras.Sequential([tf_keras.Input((3,)), Own(name="own")]))
    assert (row.operators, row.macs) == (None, None)
    assert row.micro == row.edge_tpu == "its operators are known only after conversion"
